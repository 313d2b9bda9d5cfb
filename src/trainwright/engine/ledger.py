"""Where the time of an epoch goes: data, copies, forward, backward, optimizer, and what is between.

Nothing here waits for the device. What happens once in a while is timed as it happens; of the steps, one in
so many is looked at, by the clock on a CPU and by events of the device on an accelerator.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from trainwright.data.loader import Loader

EVERY = 8
"""One step in so many is looked at."""
STEP = ("forward", "backward", "optimizer")
Mark = Callable[[str], None]


@dataclass(frozen=True)
class EpochTimes:
    """Where the time of an epoch, or of what a resume left of it, went.

    Attributes:
        epoch: Epochs done.
        steps: Steps that were timed.
        elapsed: Seconds of training since the run began, over all attempts.
        seconds: Seconds by name: `data`, `copies`, `forward`, `backward`, `optimizer`, `evaluation`,
            `saving`, `recording`, and `other` for the rest.
    """

    epoch: int
    steps: int
    elapsed: float
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        seconds = {name: round(value, 6) for name, value in self.seconds.items()}
        return {
            "epoch": self.epoch,
            "steps": self.steps,
            "elapsed": round(self.elapsed, 4),
            "seconds": seconds,
        }


class Ledger:
    """Collects the times of an epoch.

    Args:
        loader: Of the training split.
        device: Where the model is.
    """

    def __init__(self, loader: Loader, device: torch.device) -> None:
        self._loader, self._device = loader, device
        self._seen = 0
        self._events: list[list[tuple[str, Any]]] = []
        self.begin()

    def begin(self) -> None:
        """An epoch begins, or the rest of one."""
        self._spent: dict[str, float] = {}
        self._inner = 0.0
        self._sampled = dict.fromkeys(STEP, 0.0)
        self._samples, self._first = 0, self._seen
        self._events.clear()
        self._since = time.perf_counter()
        self._data, self._copies = self._loader.seconds, self._loader.copy_seconds

    @contextmanager
    def spent(self, name: str) -> Iterator[None]:
        """What happens within it counts as `name`, but for what counts as something else within it."""
        outer, self._inner = self._inner, 0.0
        start = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - start
            self._spent[name] = self._spent.get(name, 0.0) + took - self._inner
            self._inner = outer + took

    def marker(self) -> Mark | None:
        """Called once a step; where the step is looked at, what to call behind each part with its name."""
        self._seen += 1
        # Not the first step of an attempt, which is slower: kernels are chosen and memory is taken.
        if self._seen % EVERY:
            return None
        self._samples += 1
        return self._by_events() if self._device.type == "cuda" else self._by_clock()

    def _by_clock(self) -> Mark:
        last = time.perf_counter()

        def mark(name: str) -> None:
            """Adds the time since the mark before to a part of the step; an empty name is none."""
            nonlocal last
            now = time.perf_counter()
            if name:
                self._sampled[name] += now - last
            last = now

        return mark

    def _by_events(self) -> Mark:
        marks: list[tuple[str, Any]] = []
        self._events.append(marks)

        def mark(name: str) -> None:
            """Leaves an event in the device's queue."""
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            marks.append((name, event))

        mark("")
        return mark

    def end(self, epoch: int, elapsed: float) -> EpochTimes:
        """The times since `begin`, and a new beginning.

        Args:
            epoch: Epochs done.
            elapsed: Seconds of training since the run began.
        """
        wall = time.perf_counter() - self._since
        steps = self._seen - self._first
        self._read_events()
        each = {name: value / self._samples for name, value in self._sampled.items()} if self._samples else {}
        parts = {name: value * steps for name, value in each.items()}
        copies = self._loader.copy_seconds - self._copies
        data = self._loader.seconds - self._data - copies
        left = max(0.0, wall - sum(self._spent.values()))
        if self._device.type == "cuda":
            # The device works while the next batch is made: only what it had to wait for counts.
            idle = max(0.0, left - sum(parts.values()))
            hidden = min(1.0, idle / (data + copies)) if data + copies else 0.0
            data, copies = data * hidden, copies * hidden
        computing = max(0.0, left - data - copies)
        too_much = sum(parts.values()) / computing if computing else 1.0
        parts = {name: value / max(1.0, too_much) for name, value in parts.items()}
        seconds = {"data": data, "copies": copies, **parts, **self._spent}
        seconds["other"] = max(0.0, wall - sum(seconds.values()))
        self.begin()
        return EpochTimes(
            epoch, steps, elapsed, {name: value for name, value in seconds.items() if value > 0}
        )

    def _read_events(self) -> None:
        for marks in self._events:
            marks[-1][1].synchronize()
            for (_, before), (name, event) in pairwise(marks):
                if name:
                    self._sampled[name] += before.elapsed_time(event) / 1000
