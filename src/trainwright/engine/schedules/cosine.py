"""Cosine annealing."""

from __future__ import annotations

import math

from trainwright.engine.schedules.base import Schedule
from trainwright.fields import Fraction, NonNegative, NonNegativeInt, PositiveInt

DEAD_WHEN = {"Cosine": {"cycle_decay": "cycles == 1"}}


class Cosine(Schedule):
    """Half a cosine from the full rate to `end`: Loshchilov and Hutter, ICLR 2017.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        end: Where it ends, as a share of the optimizer's rate.
        cycles: Number of equally long cycles, each of which starts anew.
        cycle_decay: Factor of each cycle's start against the one before.
        warmup_steps: Length of a linear warm-up in steps.
        warmup_epochs: The same in epochs.
        warmup_fraction: The same as a share of the run.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        *,
        end: Fraction = 0.0,
        cycles: PositiveInt = 1,
        cycle_decay: Fraction = 1.0,
        warmup_steps: NonNegativeInt = 0,
        warmup_epochs: NonNegative = 0.0,
        warmup_fraction: Fraction = 0.0,
    ) -> None:
        super().__init__(total_steps, steps_per_epoch, warmup_steps, warmup_epochs, warmup_fraction)
        self.end, self.cycles, self.cycle_decay = end, cycles, cycle_decay

    def main(self, step: int) -> float:
        """`end + (start - end) (1 + cos(pi t)) / 2` at the share t of the present cycle."""
        done = self.progress(step) * self.cycles
        cycle = min(int(done), self.cycles - 1)
        start = max(self.end, self.cycle_decay**cycle)
        return self.end + (start - self.end) * (1 + math.cos(math.pi * (done - cycle))) / 2
