"""The append-only truth of a run's metrics: cheap on the training thread, durable within a second."""

from __future__ import annotations

import atexit
import json
import math
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import SupportsFloat

from trainwright.runs.atomic import StorageError, write_all

_Record = tuple[int, float, float, dict[str, SupportsFloat]]
_BLOCK = 1 << 16


class Spool:
    """Writes one JSON line per `log` call from a thread of its own.

    A line is `{"step", "epoch", "attempt", "time", "values"}`; values that JSON lacks are the strings
    `NaN`, `Infinity` and `-Infinity`, which `float` reads. The thread writes and syncs every
    `interval` seconds. When it cannot write, nothing is thrown away: the lines wait, the file keeps only
    whole lines, and the next `log`, `flush` or `close` raises; writing is tried again at each interval.

    Args:
        path: `metrics.jsonl`; a line torn by an earlier kill is cut off.
        attempt: Number of the run's attempt, from 1; readers let the highest win.
        interval: Seconds between two writes.
    """

    def __init__(self, path: str | os.PathLike[str], *, attempt: int = 1, interval: float = 0.5) -> None:
        self.path, self.attempt, self.interval = Path(path), attempt, interval
        self._waiting: deque[_Record] = deque()
        self._unwritten = bytearray()
        self._latest: dict[str, float] = {}
        self._error: Exception | None = None
        self._io = threading.Lock()
        self._closing = threading.Event()
        self._closed = False
        try:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._end = _cut_torn_line(self._handle)
        except OSError as error:
            raise StorageError(self.path, error) from error
        self._thread = threading.Thread(target=self._work, name="trainwright-spool", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def log(self, step: int, epoch: float, values: Mapping[str, SupportsFloat]) -> None:
        """Records values at a step. Returns at once; 1 microsecond for ten values.

        Args:
            step: Optimizer steps done.
            epoch: Epoch that the step belongs to.
            values: Numbers or detached zero-dimensional tensors by metric name. Tensors are read
                later by the writer, so they must not be changed in place afterwards.

        Raises:
            StorageError: Earlier values cannot be written (disk full, directory gone).
            TypeError: An earlier value is not a number.
        """
        if self._error is not None:
            self._raise()
        self._waiting.append((step, epoch, time.time(), dict(values)))

    def latest(self) -> dict[str, float]:
        """The newest written value of every metric, for whoever shows them; never waits."""
        return self._latest

    def flush(self) -> None:
        """Returns when everything logged so far is on disk. Raises as `log` does."""
        self._drain()
        self._raise()

    def close(self) -> None:
        """Writes what is left and ends the thread. Raises as `log` does; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._closing.set()
        self._thread.join()
        self._drain()
        os.close(self._handle)
        self._raise()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        while not self._closing.wait(self.interval):
            if self._waiting or self._unwritten:
                self._drain()

    def _drain(self) -> None:
        with self._io:
            self._encode_waiting()
            if not self._unwritten:
                return
            try:
                os.lseek(self._handle, self._end, os.SEEK_SET)
                write_all(self._handle, bytes(self._unwritten))
                os.fsync(self._handle)
            except OSError as error:
                # Half a line must not stay: later lines would be glued to it. Cutting needs no space.
                os.ftruncate(self._handle, self._end)
                self._error = StorageError(self.path, error)
                return
            self._end += len(self._unwritten)
            self._unwritten.clear()
            if isinstance(self._error, StorageError):
                self._error = None  # space was freed in time, nothing is missing

    def _encode_waiting(self) -> None:
        while self._waiting:
            step, epoch, moment, values = self._waiting.popleft()
            try:
                numbers = {name: _number(name, value) for name, value in values.items()}
                line = {
                    "step": int(step),
                    "epoch": epoch,
                    "attempt": self.attempt,
                    "time": round(moment, 3),
                    "values": {name: _json_value(number) for name, number in numbers.items()},
                }
                self._latest = {**self._latest, **numbers}
                self._unwritten += json.dumps(line, separators=(",", ":")).encode() + b"\n"
            except (TypeError, ValueError, RuntimeError) as error:
                self._error = TypeError(f"metrics of step {step} cannot be recorded: {error}")

    def _raise(self) -> None:
        if self._error is None:
            return
        error = self._error
        if not isinstance(error, StorageError):
            self._error = None  # a wrong value is told once; a full disk as long as it is full
        raise error


def _number(name: str, value: SupportsFloat) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name}: {error}") from error


def _json_value(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _cut_torn_line(handle: int) -> int:
    """Cuts the file behind its last whole JSON line; gives the new length in bytes."""
    end = os.fstat(handle).st_size
    while end:
        start = _line_start(handle, end)
        line = os.pread(handle, end - start, start)
        if line.endswith(b"\n") and _is_json(line):
            break
        end = start
    os.ftruncate(handle, end)
    return end


def _line_start(handle: int, end: int) -> int:
    """Offset of the line that ends at `end`, its newline included."""
    position = end - 1
    while position > 0:
        start = max(0, position - _BLOCK)
        found = os.pread(handle, position - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:  # a power cut may leave zeros
        return False
