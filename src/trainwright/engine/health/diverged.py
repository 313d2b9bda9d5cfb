"""A training that cannot go on as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trainwright.errors import TrainwrightError

_SLOWER = "lower train.optimizer.lr, add warm-up or train.clip.norm, or use precision fp32"


class Diverged(TrainwrightError):
    """The training went wrong beyond repair, from the step on that it stands at.

    Args:
        what: One sentence.
        rule: The rule of `train.health` that says so.
        step: Steps done when it was noticed.
        since: A step before which all was well, as far as is known.
    """

    def __init__(self, what: str, *, rule: str, step: int, since: int) -> None:
        super().__init__(what, why="the training diverged", fix=_SLOWER)
        self.rule, self.step, self.since = rule, step, since


def refuse_not_finite(values: Mapping[str, float], step: int) -> None:
    """Raises Diverged where a value is infinite or NaN.

    Args:
        values: Name -> value.
        step: Steps done.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise Diverged(f"{name} became {value} at step {step}", rule="not_finite", step=step, since=step)
