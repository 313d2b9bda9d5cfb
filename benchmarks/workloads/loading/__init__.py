"""Loading without a model: how fast a contestant gives normalised batches of varied pictures.

Every contestant gives float32 `[B, 3, size, size]` with the statistics of ImageNet, cut by a random resized
crop and mirrored at random, and class numbers.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BATCH = 64
SMALLEST, RATIO = 0.35, 4 / 3
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Job:
    """What one process is to do.

    Attributes:
        folder: Class folders of JPEGs, or what the contestant has made of them.
        size: Height and width of the pictures.
        workers: Processes that load.
        decoder: `pillow` or `simplejpeg`.
        skip: Epochs before the clock starts.
        epochs: Epochs that are measured.
    """

    folder: Path
    size: int
    workers: int
    decoder: str
    skip: int
    epochs: int


def job() -> Job:
    """The job of this process, from its only argument."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return Job(Path(given.pop("folder")), **given)


def measure(make: Callable[[], Callable[[int], Iterable[tuple[Any, int]]]], asked: Job) -> None:
    """Times epochs and prints the line of JSON that the runner reads.

    Args:
        make: Builds the data set and its loader; part of what is timed where no epoch is skipped. Gives a
            function from the number of an epoch to its batches, as pictures and their number.
        asked: The job.
    """
    begun, cpu = time.perf_counter(), cpu_seconds()
    epoch = make()
    images = 0
    for number in range(asked.skip + asked.epochs):
        if asked.skip and number == asked.skip:
            begun, cpu, images = time.perf_counter(), cpu_seconds(), 0
        for pictures, count in epoch(number):
            assert pictures.shape[1:] == (3, asked.size, asked.size) and pictures.dtype.is_floating_point
            images += count
    seconds, used = time.perf_counter() - begun, cpu_seconds() - cpu
    line = {
        "images": float(images),
        "seconds": seconds,
        "images_per_s": images / seconds,
        "cpu_us_per_image": 1e6 * used / images,
    }
    print("\n" + json.dumps(line), flush=True)
    os._exit(0)  # peers' workers may take seconds to end, which nobody is to wait for


def cpu_seconds() -> float:
    """Processor time of this process and of all its descendants, also of those alive."""
    ticks = 0
    for pid in _tree(os.getpid()):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile, and is counted below
            continue
        ticks += sum(int(fields[place]) for place in (11, 12))
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") + ended.ru_utime + ended.ru_stime


def _tree(root: int) -> list[int]:
    from benchmarks.processes import tree

    return tree(root)
