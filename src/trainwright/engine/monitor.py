"""Watching one metric: which evaluation was the best, and when to stop waiting for a better one."""

from __future__ import annotations

import math
from typing import Any, Literal


class Monitor:
    """Remembers the best value of a metric and how many evaluations ago it was seen.

    Args:
        name: Full metric name, such as `val/accuracy`.
        mode: Whether lower or higher is better.
        min_delta: Smallest change that counts as better.
        patience: Evaluations without a better value before `exhausted`; None never is.
    """

    def __init__(
        self, name: str, mode: Literal["min", "max"], *, min_delta: float = 0.0, patience: int | None = None
    ) -> None:
        self.name, self.mode, self.min_delta, self.patience = name, mode, min_delta, patience
        self.best: float | None = None
        self.best_step = 0
        self.waited = 0

    def observe(self, value: float, step: int) -> bool:
        """Takes a new value; True when it is the best so far. NaN is never better."""
        better = not math.isnan(value) and (self.best is None or self._improves(value, self.best))
        if better:
            self.best, self.best_step, self.waited = value, step, 0
        else:
            self.waited += 1
        return better

    def _improves(self, value: float, best: float) -> bool:
        gain = best - value if self.mode == "min" else value - best
        return gain > self.min_delta

    @property
    def exhausted(self) -> bool:
        """Whether the patience is used up."""
        return self.patience is not None and self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Best value, its step, and the count of evaluations since."""
        return {"best": self.best, "best_step": self.best_step, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts the counters back."""
        self.best, self.best_step, self.waited = state["best"], state["best_step"], state["waited"]
