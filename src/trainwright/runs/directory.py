"""The layout of a run directory, and how one is made, opened and judged."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, make_directory, remove_leftovers, write_text
from trainwright.runs.lock import Owner, RunLock, holder
from trainwright.runs.metrics import Series, read_metrics, write_results
from trainwright.runs.record import RunRecord, RunState


class RunDirectory:
    """Names of everything in a run directory. Makes and reads nothing until asked.

    Args:
        path: The directory.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.recipe = self.path / "recipe.yaml"
        self.resolved = self.path / "recipe.resolved.yaml"
        self.record_file = self.path / "run.json"
        self.lock_file = self.path / "lock"
        self.heartbeat = self.path / "heartbeat.json"
        self.weights = self.path / "weights"
        self.best = self.weights / "best.safetensors"
        self.last = self.weights / "last.safetensors"
        self.checkpoints = self.path / "state"
        self.kept = self.path / "kept"
        self.origin = self.path / "origin"
        self.processors = self.path / "processors.json"
        self.metrics_file = self.path / "metrics.jsonl"
        self.ledger = self.path / "ledger.jsonl"
        self.findings = self.path / "health.jsonl"
        self.results = self.path / "results.csv"
        self.data = self.path / "data"
        self.hard_samples = self.data / "hard_samples.parquet"
        self.log = self.path / "log.txt"
        self.plots = self.path / "plots"
        self.report = self.path / "report.html"
        self.timings = self.path / "timings.json"
        self.labels = self.path / "labels.json"

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def id(self) -> str:
        """The run's id, `<name>-<salt>` with `-2`, `-3` ... for repeats."""
        return self.path.name

    def evaluation(self, split: str) -> Path:
        """Directory of one split's evaluation."""
        return self.path / "evaluation" / split

    def export(self, format_name: str) -> Path:
        """Directory of one export."""
        return self.path / "export" / format_name

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunDirectory:
        """An existing run.

        Raises:
            RunError: There is no run here, or its record cannot be read.
        """
        run = cls(path)
        if not run.path.is_dir():
            raise RunError(
                "there is no such run",
                where=str(run.path),
                fix="`trainwright runs list` shows the runs of a directory",
            )
        run.record()
        return run

    def create(self, record: RunRecord, *, as_given: str, resolved: str) -> RunDirectory:
        """Makes the directory and writes the recipe and the record. Hold the lock first.

        Args:
            record: What to write as `run.json`.
            as_given: The recipe's YAML as the user gave it.
            resolved: YAML with every value and its origin.

        Raises:
            RunError: There is a run here already.
            StorageError: The directory cannot be made or written.
        """
        if self.record_file.exists():
            raise RunError("there is a run here already", where=str(self.path))
        for part in (self.path, self.weights, self.checkpoints, self.data):
            make_directory(part)
        remove_leftovers(self.path)
        write_text(self.recipe, as_given)
        write_text(self.resolved, resolved)
        # Last, so that a directory with a record is complete.
        record.save(self.record_file)
        return self

    @cached_property
    def lock(self) -> RunLock:
        """The run's lock, not yet acquired."""
        return RunLock(self.lock_file)

    def acquire(self) -> RunLock:
        """Makes the directory where needed and takes the lock. Raises LockHeld or StorageError."""
        make_directory(self.path)
        return self.lock.acquire()

    def record(self) -> RunRecord:
        """Reads `run.json` anew. Raises RunError."""
        return RunRecord.load(self.record_file)

    def save(self, record: RunRecord) -> None:
        """Replaces `run.json`. Raises StorageError."""
        record.save(self.record_file)

    def owner(self) -> Owner | None:
        """The process that works on the run now, or None."""
        return holder(self.lock_file)

    def state(self, record: RunRecord | None = None) -> RunState:
        """The true state: a run that says running while nobody holds its lock was interrupted."""
        written = (record or self.record()).state
        alive = self.owner() is not None
        if written is RunState.RUNNING and not alive:
            return RunState.INTERRUPTED
        if alive and written in (RunState.INTERRUPTED, RunState.FAILED):
            return RunState.RUNNING  # being resumed, its record is not written yet
        return written

    def newest_checkpoint(self) -> int | None:
        """Step of the newest committed checkpoint, or None where none was ever finished."""
        steps = [int(path.parent.name) for path in self.checkpoints.glob("*/manifest.json")]
        return max(steps, default=None)

    def metrics(self) -> Series:
        """Every metric's series of (step, value); steps abandoned by a resume are left out."""
        return read_metrics(self.metrics_file, self.record().resumed_from)

    def write_results(self) -> None:
        """Writes `results.csv`, one row per epoch. Raises StorageError."""
        write_results(self.results, self.metrics_file, self.record().resumed_from)


def create_numbered(path: str | os.PathLike[str], first: int = 1) -> RunDirectory:
    """Makes the first free directory of `path`, `path-2`, `path-3` ...; two callers never get the same.

    Args:
        path: Without a number.
        first: The number to begin with; 1 is none.

    Raises:
        StorageError: The directory cannot be made.
    """
    base, number = Path(path), first
    while True:
        candidate = base if number == 1 else base.with_name(f"{base.name}-{number}")
        try:
            candidate.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise StorageError(candidate, error) from error
        else:
            return RunDirectory(candidate)


def answer_picture(evaluation: Path, target: str, row: int) -> Path:
    """Where a split's evaluation keeps the picture that is the answer for a row, where it is kept."""
    return evaluation / "pictures" / re.sub(r"[^\w-]", "_", target) / f"{row}.png"
