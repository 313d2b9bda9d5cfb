"""Exponential decay."""

from __future__ import annotations

from trainwright.engine.schedules.base import Schedule
from trainwright.fields import Fraction, NonNegative, NonNegativeInt


class Exponential(Schedule):
    """The rate is multiplied by `gamma` per epoch.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        gamma: Factor per epoch.
        staircase: Only at the end of each epoch, instead of a little at every step.
        warmup_steps: Length of a linear warm-up in steps.
        warmup_epochs: The same in epochs.
        warmup_fraction: The same as a share of the run.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        *,
        gamma: Fraction = 0.95,
        staircase: bool = False,
        warmup_steps: NonNegativeInt = 0,
        warmup_epochs: NonNegative = 0.0,
        warmup_fraction: Fraction = 0.0,
    ) -> None:
        super().__init__(total_steps, steps_per_epoch, warmup_steps, warmup_epochs, warmup_fraction)
        self.gamma, self.staircase = gamma, staircase

    def main(self, step: int) -> float:
        """`gamma` to the number of epochs since the warm-up."""
        epochs = (step - self.warmup) / self.steps_per_epoch
        return float(self.gamma ** (int(epochs) if self.staircase else epochs))
