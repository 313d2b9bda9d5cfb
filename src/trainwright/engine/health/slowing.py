"""The learning rate after roll-backs: the schedule's, times a factor that is a function of the step alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Slowing:
    """What the schedule's learning rates are multiplied by.

    Nothing of it is in a checkpoint: the turns are written down in the run's record before they are used, so
    that a resume from any checkpoint goes on at the same rate.

    Args:
        turns: (step, factor) in the order in which they were decided: from the step on, counted from 0, rates
            are multiplied by the factor. A later one stands for those before it from its own step on.
    """

    def __init__(self, turns: Sequence[tuple[int, float]]) -> None:
        self.turns = tuple(turns)

    def factor(self, step: int) -> float:
        """The factor that holds at a step."""
        return next((factor for start, factor in reversed(self.turns) if start <= step), 1.0)

    def apply(self, optimizer: Any, step: int) -> None:
        """Changes the rates that a schedule has just set."""
        factor = self.factor(step)
        for group in optimizer.param_groups:
            group["lr"] *= factor
