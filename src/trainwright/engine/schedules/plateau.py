"""Drops when a metric stops improving."""

from __future__ import annotations

import math
from typing import Any, Literal

from trainwright.engine.schedules.base import Schedule
from trainwright.fields import Fraction, NonNegative, NonNegativeInt


class Plateau(Schedule):
    """The rate is multiplied by `gamma` after more than `patience` evaluations without improvement.

    The one schedule with a memory, which therefore is part of a checkpoint.

    Args:
        total_steps: Optimizer steps of the whole run.
        steps_per_epoch: Optimizer steps of one epoch.
        monitor: Metric to watch, such as val/loss.
        mode: Whether a smaller or a larger value is better.
        gamma: Factor of each drop.
        patience: Evaluations without improvement that are tolerated.
        threshold: Smallest improvement that counts.
        relative: The threshold is a share of the best value, else absolute.
        cooldown: Evaluations after a drop before waiting starts anew.
        min_factor: The factor goes no lower than this.
        warmup_steps: Length of a linear warm-up in steps.
        warmup_epochs: The same in epochs.
        warmup_fraction: The same as a share of the run.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        *,
        monitor: str = "val/loss",
        mode: Literal["min", "max"] = "min",
        gamma: Fraction = 0.1,
        patience: NonNegativeInt = 10,
        threshold: NonNegative = 1e-4,
        relative: bool = True,
        cooldown: NonNegativeInt = 0,
        min_factor: Fraction = 0.0,
        warmup_steps: NonNegativeInt = 0,
        warmup_epochs: NonNegative = 0.0,
        warmup_fraction: Fraction = 0.0,
    ) -> None:
        super().__init__(total_steps, steps_per_epoch, warmup_steps, warmup_epochs, warmup_fraction)
        self.monitor, self.mode = monitor, mode
        self.gamma, self.patience, self.cooldown, self.min_factor = gamma, patience, cooldown, min_factor
        self.threshold, self.relative = threshold, relative
        self.best = math.inf if mode == "min" else -math.inf
        self.waited, self.cooling, self.level = 0, 0, 1.0

    def main(self, step: int) -> float:
        """The level that the evaluations so far have led to."""
        return self.level

    def observe(self, value: float) -> None:
        """Takes the monitored metric after an evaluation. A NaN counts as no improvement."""
        if self._improves(value):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        if self.cooling:
            self.cooling -= 1
            self.waited = 0
        if self.waited > self.patience:
            self.level = max(self.min_factor, self.level * self.gamma)
            self.waited, self.cooling = 0, self.cooldown

    def _improves(self, value: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        margin = self.threshold
        if self.relative and math.isfinite(self.best):
            margin *= abs(self.best)
        return sign * value < sign * self.best - margin

    def state_dict(self) -> dict[str, Any]:
        """Best value, level and both counters."""
        return {"best": self.best, "waited": self.waited, "cooling": self.cooling, "level": self.level}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        self.best, self.level = float(state["best"]), float(state["level"])
        self.waited, self.cooling = int(state["waited"]), int(state["cooling"])
