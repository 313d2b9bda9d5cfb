"""Drops by a factor at chosen epochs."""

from __future__ import annotations

import bisect

from trainwright.engine.schedules.base import Schedule
from trainwright.fields import Fraction, NonNegative, NonNegativeInt, OpenFraction, Positive

DEAD_WHEN = {
    "Step": {
        "at_fractions": "at_epochs or every_epochs",
        "at_epochs": "every_epochs",
    }
}


class Step(Schedule):
    """The rate is multiplied by `gamma` at each drop.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        gamma: Factor of each drop.
        at_fractions: Drops at these shares of the run.
        at_epochs: Drops at these epochs, counted from the start of the run, instead.
        every_epochs: A drop whenever so many epochs are over, instead.
        warmup_steps: Length of a linear warm-up in steps.
        warmup_epochs: The same in epochs.
        warmup_fraction: The same as a share of the run.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        *,
        gamma: Fraction = 0.1,
        at_fractions: list[OpenFraction] = [0.5, 0.75],  # noqa: B006 - lists, as in YAML
        at_epochs: list[Positive] = [],  # noqa: B006
        every_epochs: Positive | None = None,
        warmup_steps: NonNegativeInt = 0,
        warmup_epochs: NonNegative = 0.0,
        warmup_fraction: Fraction = 0.0,
    ) -> None:
        super().__init__(total_steps, steps_per_epoch, warmup_steps, warmup_epochs, warmup_fraction)
        self.gamma = gamma
        self.every = every_epochs * steps_per_epoch if every_epochs else None
        epochs = [epoch * steps_per_epoch for epoch in at_epochs]
        self.drops = sorted(epochs or [share * total_steps for share in at_fractions])

    def main(self, step: int) -> float:
        """`gamma` to the number of drops so far."""
        count = int(step / self.every) if self.every else bisect.bisect_right(self.drops, step)
        return float(self.gamma**count)
