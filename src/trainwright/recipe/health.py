"""`train.health`: what is done about a training that goes wrong."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainwright.fields import PositiveInt
from trainwright.recipe.section import Section

RULES = ("diverging", "exploding", "vanishing", "dead_units", "plateau")

Told = Literal["ignore", "warn", "stop"]


class Health(Section):
    """What is done about a training that goes wrong: `stop` ends it after the present step."""

    every: PositiveInt = Field(
        default=50, description="Steps between two readings of the gradients' norms and the training loss."
    )
    diverging: Told = Field(
        default="warn", description="The training loss rises, by a slope test over its last 20 readings."
    )
    exploding: Told = Field(
        default="warn", description="The gradient's norm is a hundred times its median before."
    )
    vanishing: Told = Field(
        default="warn", description="Layers get a millionth of the strongest layers' gradient."
    )
    dead_units: Told = Field(
        default="warn", description="Half of a layer's rectifiers give 0 for all samples of a batch."
    )
    plateau: Told = Field(
        default="warn", description="The training loss of six epochs differs by less than a thousandth."
    )

    @property
    def reads(self) -> bool:
        """Whether any rule needs the readings."""
        return any(rule != "ignore" for rule in (self.diverging, self.exploding, self.vanishing))

    @property
    def of_result(self) -> dict[str, object]:
        """What of the section changes the result of a run: rules that only warn do not."""
        acting = {rule: policy for rule in RULES if (policy := getattr(self, rule)) == "stop"}
        return {"every": self.every, **acting} if acting else {}
