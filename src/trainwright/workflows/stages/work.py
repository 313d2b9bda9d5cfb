"""What a stage of a pipeline is given: where it works, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainwright.progress import ProgressSink


class StageInterrupted(KeyboardInterrupt):
    """The stage was asked to stop; what it keeps in `scratch`, or in its run, lets it go on."""


@dataclass(frozen=True)
class StageWork:
    """The place of one stage, as a stage's function gets it.

    What is written into `folder` is the stage's output: it becomes visible when the function returns, whole
    or not at all. A function whose output is a run returns the run's directory instead.

    Attributes:
        name: The stage's name in the pipeline.
        folder: An empty folder for the output.
        scratch: A folder that stays until the stage is done, for what an interrupted stage goes on from.
        runs_dir: Where runs live.
        beside: The folder of the pipeline's file.
        threads: Compute threads that the stage may use.
        fresh: The stage is to be made anew, whatever there is of it.
        progress: Who watches.
        log: Records numbers at a step: `stage.log({"rows": 1200})`, `stage.log(values, step=3)`.
    """

    name: str
    folder: Path
    scratch: Path
    runs_dir: Path
    beside: Path
    threads: int
    fresh: bool
    progress: ProgressSink
    log: Callable[..., None]

    def say(self, text: str) -> None:
        """A sentence for the user and the stage's log."""
        self.progress.message(text)

    def log_splits(self, metrics: Mapping[str, Mapping[str, Any]]) -> None:
        """Records metrics by split, named as those of a run: `test/accuracy`."""
        numbers = {
            f"{split}/{name}": float(value)
            for split, values in metrics.items()
            for name, value in values.items()
            if isinstance(value, int | float)
        }
        self.log(numbers)
