"""TensorBoard: curves, figures, the recipe and the page of hyperparameters, in an event file."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainwright.errors import StorageError
from trainwright.fields import Location
from trainwright.runs.atomic import make_directory, write_all
from trainwright.runs.sinks import event_file
from trainwright.runs.sinks.base import Ending, Point, RunFacts, Sink

_STATUS = {"done": event_file.SUCCESS, "failed": event_file.FAILURE}


class TensorBoardSink(Sink):
    """Writes an event file that `tensorboard --logdir runs` shows; needs no package.

    Steps that a resume repeats are written behind a session mark, at which readers drop what they had.

    Args:
        folder: Folder in which each run gets one of its own; `tensorboard/` in the run when absent.
    """

    def __init__(self, *, folder: Location | None = None) -> None:
        self.folder = folder
        self._file: Path | None = None
        self._length = 0

    def open(self, run: RunFacts, memory: Mapping[str, Any]) -> None:
        """Opens the event file, cut to what was surely kept."""
        where = Path(self.folder) / run.id if self.folder else run.path / "tensorboard"
        make_directory(where)
        known = memory.get("file")
        self._length = int(memory.get("length", 0)) if known and (where / known).exists() else 0
        # TensorBoard reads the files of a folder in the order of their names.
        self._file = where / (known or f"events.out.tfevents.{int(run.created):010d}.trainwright")
        if not self._length:
            first = event_file.session_start(run.parameters, run.id, run.created)
            recipe = event_file.text("recipe", "\n".join(f"    {line}" for line in run.recipe.splitlines()))
            self._append(
                [event_file.version(run.created), event_file.event(run.created, 0, summary=[first, recipe])]
            )

    def write(self, points: Sequence[Point]) -> None:
        """Appends one event per step."""
        self._append(
            [
                event_file.event(
                    moment, step, summary=[event_file.scalar(item.name, item.value) for item in group]
                )
                for (step, moment), group in itertools.groupby(
                    points, key=lambda item: (item.step, item.time)
                )
            ]
        )

    def memory(self) -> dict[str, Any]:
        """The file and how much of it is whole."""
        return {"file": self._file.name if self._file else None, "length": self._length}

    def rewind(self, step: int) -> bool:
        """Marks that a session starts at the step."""
        self._append([event_file.event(time.time(), step, start=True)])
        return True

    def finish(self, ending: Ending) -> None:
        """Appends the final metrics, the figures and the state."""
        scalars = [event_file.scalar(f"final/{name}", value) for name, value in ending.metrics.items()]
        pictures = [event_file.picture(path.stem, path.read_bytes()) for path in ending.figures]
        status = event_file.session_end(_STATUS.get(ending.state, event_file.RUNNING), ending.time)
        self._append([event_file.event(ending.time, ending.step, summary=[*scalars, *pictures, status])])

    def _append(self, messages: Sequence[bytes]) -> None:
        assert self._file is not None
        data = b"".join(map(event_file.record, messages))
        try:
            handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                os.ftruncate(handle, self._length)
                os.lseek(handle, self._length, os.SEEK_SET)
                write_all(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StorageError(self._file, error) from error
        self._length += len(data)
