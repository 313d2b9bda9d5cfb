"""What happened in a run beside its metrics, one JSON line each: findings of health, where the time went."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainwright.runs.atomic import StorageError, write_all


@dataclass(frozen=True)
class RunEvent:
    """One line.

    Attributes:
        step: Optimizer steps done.
        attempt: The run's attempt.
        values: What happened.
    """

    step: int
    attempt: int
    values: dict[str, Any]


def append_event(path: str | os.PathLike[str], step: int, attempt: int, values: Mapping[str, Any]) -> None:
    """Adds a line in one write; a process that is killed leaves it whole or not at all.

    Raises:
        StorageError: The file cannot be written.
    """
    line = json.dumps({"step": step, "attempt": attempt, **values}, separators=(",", ":")).encode() + b"\n"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line  # a machine that lost its power left half a line
            write_all(handle, line)
        finally:
            os.close(handle)
    except OSError as error:
        raise StorageError(path, error) from error


def read_events(path: str | os.PathLike[str], resumed_from: Mapping[int, int]) -> list[RunEvent]:
    """Every line in the order of the file; no file is no lines, and what is no line is passed over.

    Args:
        path: The file.
        resumed_from: Attempt -> step at which it went on. What earlier attempts did behind it was abandoned.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            values = json.loads(line)
            step, attempt = int(values.pop("step")), int(values.pop("attempt"))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if all(step <= start for number, start in resumed_from.items() if number > attempt):
            found.append(RunEvent(step, attempt, values))
    return found
