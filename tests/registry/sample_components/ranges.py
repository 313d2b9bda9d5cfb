from typing import Annotated, Literal

from annotated_types import Interval

Mode = Literal["a", "b"]
Percent = Annotated[float, Interval(ge=0, le=100)]
HALF = 1 / 2
