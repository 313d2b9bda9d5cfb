"""What a contestant keeps of its own times. Standard library only, so that it adds nothing to them."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Sequence

WARM_UP_STEPS = 20
STARTED = "BENCHMARK_STARTED"
Step = tuple[float, int]


def process_start() -> float:
    """Unix time at which this process was started: told by the runner, else read from the kernel."""
    if STARTED in os.environ:
        return float(os.environ[STARTED])
    with open("/proc/self/stat") as file:  # noqa: PTH123 - pathlib is one more import to pay for
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/uptime") as file:  # noqa: PTH123
        uptime = float(file.read().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def steady_steps(epochs: Sequence[Sequence[Step]]) -> list[Step]:
    """Steps with the seconds that each took, without warm-up.

    The first `WARM_UP_STEPS` of the run are left out, or its first quarter where that is less. So is the
    first step of every epoch, since what came before it (an evaluation, workers that start) is none of
    its own.

    Args:
        epochs: Per epoch, its steps: time at which it was finished, and its number of images.

    Returns:
        Duration in seconds and number of images of each steady step.
    """
    warm_up = min(WARM_UP_STEPS, sum(map(len, epochs)) // 4)
    steady: list[Step] = []
    seen = 0
    for steps in epochs:
        for number in range(1, len(steps)):
            if seen + number >= warm_up:
                (before, _), (after, images) = steps[number - 1], steps[number]
                steady.append((after - before, images))
        seen += len(steps)
    return steady


class Clock:
    """The times of one contestant.

    Call `imported` after the imports, `start` before the training, `epoch` before each epoch's first
    step, `step` after each optimizer step, `stop` after the last evaluation, then `report`.
    """

    def __init__(self) -> None:
        self.process_start = process_start()
        self.imports_s = 0.0
        self.train_s = 0.0
        self._epochs: list[list[Step]] = []
        self._started = 0.0
        # Time since the process' start = perf_counter - offset; only the offset depends on wall-clock time.
        self._offset = time.perf_counter() - (time.time() - self.process_start)

    def imported(self) -> None:
        """The contestant's imports are done."""
        self.imports_s = time.perf_counter() - self._offset

    def start(self) -> None:
        """The training with its evaluations begins."""
        self._started = time.perf_counter()

    def epoch(self) -> None:
        """An epoch begins; what passed since the last step belongs to no step."""
        self._epochs.append([])

    def step(self, images: int) -> None:
        """One optimizer step over `images` samples is done."""
        self._epochs[-1].append((time.perf_counter(), images))

    def stop(self) -> None:
        """The training with its evaluations and checkpoints is done."""
        self.train_s = time.perf_counter() - self._started

    def report(self, final_metric: float, *, note: str = "") -> None:
        """Prints the line of JSON that the runner reads."""
        steady = steady_steps(self._epochs)
        seconds = [duration for duration, _ in steady]
        line = {
            "imports_s": self.imports_s,
            "first_step_s": self._epochs[0][0][0] - self._offset,
            "train_s": self.train_s,
            "us_per_step": 1e6 * statistics.median(seconds),
            "images_per_s": sum(images for _, images in steady) / sum(seconds),
            "final_metric": final_metric,
            "note": note,
        }
        print("\n" + json.dumps(line), flush=True)
