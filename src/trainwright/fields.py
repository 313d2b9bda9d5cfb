"""Names for the ranges that a component's parameters may have.

A component writes `lr: Positive = 0.1`; the registry reads the annotation without importing the
component, validates recipes against it and prints it in `explain`.
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Interval

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Interval(ge=0, le=1)]
OpenFraction = Annotated[float, Interval(ge=0, lt=1)]
PositiveInt = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]
