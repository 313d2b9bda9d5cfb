"""`train.health`: what is done about a training that goes wrong."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Interval
from pydantic import Field

from trainwright.fields import PositiveInt
from trainwright.recipe.section import Section

ROLLS_BACK = ("not_finite", "diverging", "exploding")
"""Rules that may lead to a roll-back."""
RULES = ("not_finite", "diverging", "exploding", "vanishing", "dead_units", "plateau")

Told = Literal["ignore", "warn", "stop"]
Mended = Literal["ignore", "warn", "stop", "roll_back"]


class Health(Section):
    """What is done about a training that goes wrong.

    `stop` ends it after the present step, `roll_back` goes on from the last good checkpoint at a lower rate.
    """

    every: PositiveInt = Field(
        default=50, description="Steps between two readings of the gradients' norms and the training loss."
    )
    not_finite: Literal["stop", "roll_back"] = Field(
        default="stop", description="The loss is NaN or infinite; step, layer and samples are named."
    )
    diverging: Mended = Field(
        default="warn", description="The training loss rises, by a slope test over its last 20 readings."
    )
    exploding: Mended = Field(
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
    lr_factor: Annotated[float, Interval(gt=0, lt=1)] = Field(
        default=0.5, description="A roll-back multiplies the learning rate by it."
    )
    rollbacks: PositiveInt = Field(default=3, description="Roll-backs before the run fails after all.")

    @property
    def rolls_back(self) -> bool:
        """Whether any rule leads to a roll-back."""
        return any(getattr(self, rule) == "roll_back" for rule in ROLLS_BACK)

    @property
    def reads(self) -> bool:
        """Whether any rule needs the readings."""
        return any(rule != "ignore" for rule in (self.diverging, self.exploding, self.vanishing))

    @property
    def of_result(self) -> dict[str, object]:
        """What of the section changes the result of a run: rules that only warn do not."""
        acting = {rule: policy for rule in RULES if (policy := getattr(self, rule)) in ("stop", "roll_back")}
        if acting == {"not_finite": "stop"}:
            return {}
        slower = {"lr_factor": self.lr_factor, "rollbacks": self.rollbacks} if self.rolls_back else {}
        return {"every": self.every, **acting, **slower}
