"""The learning rate after a roll-back: the schedule's, times a factor that a checkpoint keeps."""

from __future__ import annotations

from typing import Any


class Rate:
    """What the schedules' learning rates are multiplied by; 1 until something went wrong.

    Attributes:
        factor: The factor.
        rollbacks: Times that the training was rolled back.
    """

    def __init__(self) -> None:
        self.factor, self.rollbacks = 1.0, 0

    def lower(self, factor: float) -> None:
        """Another roll-back."""
        self.factor *= factor
        self.rollbacks += 1

    def apply(self, optimizer: Any) -> None:
        """Changes the rates that a schedule has just set."""
        if self.factor != 1.0:
            for group in optimizer.param_groups:
                group["lr"] *= self.factor

    def state_dict(self) -> dict[str, Any]:
        """Factor and count."""
        return {"factor": self.factor, "rollbacks": self.rollbacks}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts them back."""
        self.factor, self.rollbacks = state["factor"], state["rollbacks"]
