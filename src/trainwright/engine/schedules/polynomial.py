"""Polynomial decay."""

from __future__ import annotations

from trainwright.engine.schedules.base import Schedule
from trainwright.fields import Fraction, NonNegative, NonNegativeInt, Positive


class Polynomial(Schedule):
    """From the full rate to `end` along `(1 - t) ^ power`; a power of 1 is linear decay.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        power: Exponent.
        end: Where it ends, as a share of the optimizer's rate.
        warmup_steps: Length of a linear warm-up in steps.
        warmup_epochs: The same in epochs.
        warmup_fraction: The same as a share of the run.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        *,
        power: Positive = 0.9,
        end: Fraction = 0.0,
        warmup_steps: NonNegativeInt = 0,
        warmup_epochs: NonNegative = 0.0,
        warmup_fraction: Fraction = 0.0,
    ) -> None:
        super().__init__(total_steps, steps_per_epoch, warmup_steps, warmup_epochs, warmup_fraction)
        self.power, self.end = power, end

    def main(self, step: int) -> float:
        """`end + (1 - end) (1 - t) ^ power` at the share t of the steps after the warm-up."""
        return self.end + (1 - self.end) * float((1 - self.progress(step)) ** self.power)
