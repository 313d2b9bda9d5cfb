"""Keeping the weights that were best by a metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from trainwright.engine.callbacks.base import Action, Callback, Event, Mode
from trainwright.engine.monitor import Monitor
from trainwright.errors import RecipeError
from trainwright.fields import NonNegative
from trainwright.metrics import greater_is_better


class Best(Callback):
    """Keeps the weights of the best value of a metric, beside those of `train.checkpoint.monitor`.

    Args:
        monitor: Metric to watch, such as val/f1, train/loss or step/loss.
        mode: Which way is better; known for our metrics.
        event: Event at which it looks: `during` sees step/loss, `end` the values of an epoch.
        of: What was going on then.
        min_delta: Smallest change that counts as better.
        file: Name of the weights, `weights/FILE.safetensors`; from the metric's name when absent.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Literal["min", "max"] | None = None,
        event: Literal["during", "end"] = "end",
        of: Literal["train", "val"] = "val",
        min_delta: NonNegative = 0.0,
        file: str | None = None,
    ) -> None:
        rising = greater_is_better(monitor)
        if mode is None and rising is None:
            raise RecipeError(
                f"whether {monitor!r} should rise or fall is not known",
                where="train.callbacks",
                fix="set mode to min or max beside it",
            )
        self.monitor, self.event, self.of = monitor, event, of
        self.label = file or "best-" + monitor.replace("/", "-")
        if self.label in ("best", "last") or not self.label.replace("-", "").replace("_", "").isalnum():
            raise RecipeError(
                f"{self.label!r} cannot be the name of these weights",
                where="train.callbacks",
                fix="use letters, digits, - and _, and neither best nor last",
            )
        self.best = Monitor(monitor, mode or ("max" if rising else "min"), min_delta=min_delta)

    def __call__(self, event: Event, mode: Mode, epoch: int, step: int, logs: Mapping[str, float]) -> Action:
        """Compares the metric's value at the chosen event."""
        value = logs.get(self.monitor)
        if (event, mode) != (self.event, self.of) or value is None:
            return None
        return "save" if self.best.observe(value, step) else None

    def state_dict(self) -> dict[str, Any]:
        """The best value so far."""
        return self.best.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts it back."""
        self.best.load_state_dict(state)
