"""`run.json`: what a run is, what it was made from, and how far it came."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from trainwright.errors import RunError
from trainwright.runs.atomic import write_json

FORMAT = 1


class RunState(StrEnum):
    """Where a run stands. A `running` one whose lock is free is shown as `interrupted`."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass
class Attempt:
    """One process's turn at a run.

    Attributes:
        number: From 1; written into every metric record.
        from_step: Optimizer step at which it went on, 0 for a start.
        pid: Process that worked.
        host: Machine it worked on.
        started: Seconds since the epoch.
        ended: The same; None while it works, or when it was killed.
        state: How it ended.
        reason: Why it ended.
    """

    number: int
    from_step: int
    pid: int
    host: str
    started: float
    ended: float | None = None
    state: RunState = RunState.RUNNING
    reason: str = ""


@dataclass
class RunRecord:
    """Everything about a run that is not its recipe, weights or metrics.

    Attributes:
        name: The recipe's name.
        salt: Ten hex digits of `digest`.
        digest: Full digest over what makes the result different.
        state: Last state that was written; see `RunDirectory.state` for the true one.
        created: Seconds since the epoch.
        finished: The same, None while unfinished.
        exit_reason: Why the run ended, in words.
        attempts: Every start and resume.
        progress: `step`, `epoch`, `total_steps` when last written.
        best: `step`, `monitor`, `value` of the best checkpoint.
        seeds: Every seed by use.
        pinned: Pinned execution: threads, processes, precision, memory format, micro-batch ...
        data: Data fingerprint and sizes.
        packages: Package -> version.
        git: Commit, branch and whether files were changed, of the directory the run was started in.
        hardware: Machine, cores, memory, devices.
        command: The command line.
        parents: Runs or weight files that this run starts from.
        merged: Runs of the chain that this run stands for, each with the step from which it counts.
        rollbacks: Every time that the training was put back: `step` where it was noticed, `to` the checkpoint
            it went back to, `rule`, `text`, and `rate`, the factor of the learning rates from there on.
        parts: Digests the salt was made of, to say why another run is not the same.
        format: Version of this file's layout.
        extra: Keys of a newer version, kept as they are.
    """

    name: str
    salt: str
    digest: str = ""
    state: RunState = RunState.RUNNING
    created: float = field(default_factory=time.time)
    finished: float | None = None
    exit_reason: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    progress: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    pinned: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    git: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    parents: list[dict[str, Any]] = field(default_factory=list)
    merged: list[dict[str, Any]] = field(default_factory=list)
    rollbacks: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def attempt(self) -> int:
        """Number of the present or last attempt, 0 before the first."""
        return self.attempts[-1].number if self.attempts else 0

    @property
    def resumed_from(self) -> dict[int, int]:
        """Attempt -> step it went on from: what `read_metrics` needs to leave out abandoned steps."""
        return {item.number: item.from_step for item in self.attempts if item.number > 1}

    def begin(self, from_step: int = 0) -> Attempt:
        """Opens a new attempt of this process and sets the state to running."""
        if self.attempts and self.attempts[-1].ended is None:
            last = self.attempts[-1]
            last.state, last.reason = RunState.INTERRUPTED, last.reason or "the process was killed"
        attempt = Attempt(self.attempt + 1, from_step, os.getpid(), os.uname().nodename, time.time())
        self.attempts.append(attempt)
        self.state, self.finished, self.exit_reason = RunState.RUNNING, None, ""
        return attempt

    def end(self, state: RunState, reason: str) -> None:
        """Closes the present attempt."""
        self.state, self.exit_reason, self.finished = state, reason, time.time()
        if self.attempts:
            last = self.attempts[-1]
            last.ended, last.state, last.reason = self.finished, state, reason

    def save(self, path: str | os.PathLike[str]) -> None:
        """Replaces the file, durably. Raises StorageError."""
        value = dataclasses.asdict(self)
        write_json(path, {**value.pop("extra"), **value})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> RunRecord:
        """Reads `run.json`.

        Raises:
            RunError: It is missing, damaged, or of a newer layout.
        """
        try:
            value = json.loads(Path(path).read_bytes())
            record = cls._from_json(value)
        except FileNotFoundError as error:
            raise RunError(
                "this is not a run directory", where=os.fspath(path), why="the file is missing"
            ) from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise RunError(
                "the run's record cannot be read",
                where=os.fspath(path),
                why=str(error),
                fix="bring the file back from a copy, or delete the run's directory",
            ) from error
        if record.format > FORMAT:
            raise RunError(
                f"the run was written by a newer version (layout {record.format}, this one knows {FORMAT})",
                where=os.fspath(path),
                fix="update trainwright",
            )
        return record

    @classmethod
    def _from_json(cls, value: dict[str, Any]) -> RunRecord:
        names = {item.name for item in dataclasses.fields(cls)} - {"extra"}
        known = {name: item for name, item in value.items() if name in names}
        record = cls(**known)
        record.extra = {name: item for name, item in value.items() if name not in names}
        record.state = RunState(record.state)
        record.attempts = [_attempt(item) for item in known.get("attempts", [])]
        return record


def _attempt(value: dict[str, Any]) -> Attempt:
    names = {item.name for item in dataclasses.fields(Attempt)}
    attempt = Attempt(**{name: item for name, item in value.items() if name in names})
    attempt.state = RunState(attempt.state)
    return attempt
