"""The one-cycle policy."""

from __future__ import annotations

import math
from typing import Literal

from trainwright.engine.schedules.base import Schedule
from trainwright.fields import OpenFraction, Positive

DEAD_WHEN = {"OneCycle": {"base_momentum": "not cycle_momentum", "max_momentum": "not cycle_momentum"}}


class OneCycle(Schedule):
    """Up to the optimizer's rate and down to almost nothing: Smith and Topin, arXiv:1708.07120.

    The rise is its warm-up. Momentum, when it is cycled, goes the opposite way.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        rise: Share of the run at which the peak is reached.
        start_divisor: The peak divided by the first step's rate.
        end_divisor: The first step's rate divided by the last one's.
        shape: Of the two slopes.
        cycle_momentum: Whether momentum (beta1 of Adam) moves as well.
        base_momentum: Momentum at the peak.
        max_momentum: Momentum at both ends.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        *,
        rise: OpenFraction = 0.3,
        start_divisor: Positive = 25.0,
        end_divisor: Positive = 1e4,
        shape: Literal["cosine", "linear"] = "cosine",
        cycle_momentum: bool = False,
        base_momentum: OpenFraction = 0.85,
        max_momentum: OpenFraction = 0.95,
    ) -> None:
        super().__init__(total_steps, steps_per_epoch)
        self.start = 1 / start_divisor
        self.end = self.start / end_divisor
        self.shape = shape
        self.momenta = (max_momentum, base_momentum) if cycle_momentum else None
        # As in PyTorch, the peak and the end are themselves steps, hence the minus one.
        self.last = max(1, total_steps - 1)
        self.peak = max(0.0, rise * total_steps - 1)

    def main(self, step: int) -> float:
        """Start, peak and end, joined by the slopes."""
        return self._between(self.start, 1.0, self.end, step)

    def momentum(self, step: int) -> float | None:
        """From the largest momentum down to the base and back."""
        return self._between(*self.momenta, self.momenta[0], step) if self.momenta else None

    def _between(self, start: float, peak: float, end: float, step: int) -> float:
        if step <= self.peak and self.peak > 0:
            return self._slope(start, peak, step / self.peak)
        return self._slope(peak, end, min(1.0, (step - self.peak) / max(1e-12, self.last - self.peak)))

    def _slope(self, a: float, b: float, share: float) -> float:
        if self.shape == "linear":
            return a + (b - a) * share
        return b + (a - b) * (1 + math.cos(math.pi * share)) / 2
