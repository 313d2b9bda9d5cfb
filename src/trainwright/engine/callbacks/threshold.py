"""Stopping at a fixed value of a metric."""

from __future__ import annotations

from collections.abc import Mapping

from trainwright.engine.callbacks.base import Action, Callback, Event, Mode
from trainwright.errors import RecipeError


class Threshold(Callback):
    """Ends the training, as done, when a metric has reached a value: good enough, or hopeless.

    Args:
        monitor: Metric to watch, such as val/accuracy or step/loss.
        above: Stop at this value or a higher one.
        below: Stop at this value or a lower one.
        after_epochs: Epochs that are trained in any case.
    """

    def __init__(
        self,
        *,
        monitor: str,
        above: float | None = None,
        below: float | None = None,
        after_epochs: int = 0,
    ) -> None:
        if above is None and below is None:
            raise RecipeError(
                "a threshold needs a value", where="train.callbacks", fix="give `above`, `below`, or both"
            )
        self.monitor, self.above, self.below, self.after_epochs = monitor, above, below, after_epochs

    def __call__(self, event: Event, mode: Mode, epoch: int, step: int, logs: Mapping[str, float]) -> Action:
        """Looks at every value of the metric."""
        value = logs.get(self.monitor)
        if event not in ("during", "end") or value is None or epoch < self.after_epochs:
            return None
        if self.above is not None and value >= self.above:
            self.reason = f"{self.monitor} reached {value:.6g}, {self.above:g} is enough"
            return "stop"
        if self.below is not None and value <= self.below:
            self.reason = f"{self.monitor} reached {value:.6g}, {self.below:g} is enough"
            return "stop"
        return None
