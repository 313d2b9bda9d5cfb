"""A constant learning rate."""

from __future__ import annotations

from trainwright.engine.schedules.base import Schedule
from trainwright.fields import Fraction, NonNegative, NonNegativeInt


class Constant(Schedule):
    """The optimizer's own rate, after an optional warm-up.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        warmup_steps: Length of a linear warm-up in steps.
        warmup_epochs: The same in epochs.
        warmup_fraction: The same as a share of the run.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        *,
        warmup_steps: NonNegativeInt = 0,
        warmup_epochs: NonNegative = 0.0,
        warmup_fraction: Fraction = 0.0,
    ) -> None:
        super().__init__(total_steps, steps_per_epoch, warmup_steps, warmup_epochs, warmup_fraction)

    def main(self, step: int) -> float:
        """1."""
        return 1.0
