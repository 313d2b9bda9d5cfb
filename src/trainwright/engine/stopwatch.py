"""Time of the training steps alone, for the throughput that a run reports."""

from __future__ import annotations

import time


class Stopwatch:
    """Time of the steps alone, after the first twenty of this attempt."""

    SKIPPED = 20

    def __init__(self) -> None:
        self.seconds, self.laps = 0.0, 0
        self.first_at: float | None = None
        self._seen = 0
        self._since: float | None = None

    def start(self) -> None:
        """Steps begin, or go on after a pause."""
        self._since = time.perf_counter()

    def lap(self) -> None:
        """One step is done."""
        self._seen += 1
        if self._seen == 1:
            self.first_at = time.time()
        if self._seen <= self.SKIPPED:
            self._since = time.perf_counter()
        else:
            self.laps += 1

    def pause(self) -> None:
        """Something else than steps begins."""
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since if self._seen > self.SKIPPED else 0.0
            self._since = None
