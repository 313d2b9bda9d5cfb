"""Where a training stands, and how far it is to go."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any


class Position:
    """Epoch, step within the epoch, and step since the start, all counted from 0.

    Attributes:
        closed: The step at which an epoch was last evaluated and recorded.
    """

    def __init__(self) -> None:
        self.epoch, self.index, self.step, self.closed = 0, 0, 0, 0

    @property
    def is_open(self) -> bool:
        """Whether steps were done that no evaluation has closed yet."""
        return self.step > self.closed

    def advance(self) -> None:
        """One step is done."""
        self.index += 1
        self.step += 1

    def close_epoch(self, steps_per_epoch: int) -> None:
        """The steps so far are evaluated; after the last of an epoch the next one begins."""
        self.closed = self.step
        if self.index >= steps_per_epoch:
            self.epoch += 1
            self.index = 0

    def state_dict(self) -> dict[str, Any]:
        """The four counters."""
        return {"epoch": self.epoch, "index": self.index, "step": self.step, "closed": self.closed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts the counters back."""
        self.epoch, self.index = state["epoch"], state["index"]
        self.step, self.closed = state["step"], state["closed"]


class Clock:
    """Seconds of training over all attempts of a run."""

    def __init__(self) -> None:
        self._before = 0.0
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far, earlier attempts included."""
        return self._before + time.monotonic() - self._started

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from the seconds of an earlier attempt."""
        self._before = state["seconds"]
        self._started = time.monotonic()


@dataclass(frozen=True)
class Budget:
    """How long a training may take: the first limit that is reached ends it.

    Attributes:
        total_steps: Steps by epochs and steps; None when only minutes are given.
        minutes: Minutes of training, None for no limit.
    """

    total_steps: int | None
    minutes: float | None = None

    @classmethod
    def of(
        cls, steps_per_epoch: int, epochs: float | None, steps: int | None, minutes: float | None
    ) -> Budget:
        """The budget that a recipe's `train` section gives; ten epochs when it gives none."""
        if epochs is None and steps is None and minutes is None:
            epochs = 10.0
        limits = [_steps(epochs, steps_per_epoch)] if epochs is not None else []
        if steps is not None:
            limits.append(steps)
        return cls(min(limits) if limits else None, minutes)

    def spent(self, step: int, clock: Clock) -> str | None:
        """Which limit has been reached, in words, or None."""
        if self.total_steps is not None and step >= self.total_steps:
            return "all steps done"
        if self.minutes is not None and clock.seconds >= 60 * self.minutes:
            return f"{self.minutes:g} minutes used up at step {step}"
        return None


def _steps(epochs: float, steps_per_epoch: int) -> int:
    """Any part of an epoch is a step at least; no epochs are no steps, to score weights as they are."""
    if epochs == 0:
        return 0
    # 1.1 epochs of 10 steps are 11.000000000000002 steps in floating point, and 11 to a person.
    return max(1, math.ceil(round(epochs * steps_per_epoch, 6)))
