"""Worker processes that decode pieces of columns into one output file each.

The processes are started by `subprocess` and so need no `__main__` guard and inherit no threads. A
process that crashes on a damaged file takes only that file with it: the piece that it died of is tried
again item by item, and an item that alone crashes a worker twice is a bad sample.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

import trainwright
from trainwright.data.retry import ONCE, Retry
from trainwright.data.types import Beside, Processor, RawFile
from trainwright.errors import DataError

CRASHED = "the decoder crashed on it"  # so begins the reason of what must not be decoded here
_MOST_RESTARTS = 100
_PIPE_BYTES = 1 << 20
_KEEP_FREED_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}


@dataclass(frozen=True)
class Output:
    """Where the stored values of a column go.

    Attributes:
        processor: The column's processor.
        shape: Of one stored value.
        dtype: Of the stored values.
        file: Descriptor of the output file, None to decode without keeping anything.
    """

    processor: Processor
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    file: int | None

    @property
    def row_bytes(self) -> int:
        """Size of one stored value."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


@dataclass(frozen=True)
class Piece:
    """Consecutive items of one column, decoded by one worker in one go.

    Attributes:
        column: Name of the column.
        items: Their files.
        rows: Their row numbers, for the report of bad ones.
        offset: Byte in the output file where the first one goes.
        token: Anything of the caller's. A piece that crashed a worker comes back as several pieces with
            the same token, one per item.
        crashes: How often its one item has crashed a worker while it was alone.
    """

    column: str
    items: Sequence[RawFile | Beside]
    rows: Sequence[int]
    offset: int
    token: Any = None
    crashes: int = 0


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    ready: bool = False
    buffer: bytes = b""
    pieces: dict[int, Piece] = field(default_factory=dict)

    def send(self, message: Any) -> None:
        assert self.process.stdin is not None
        # A worker that has died is found by the end of its answers, and its pieces are handed on.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def hang_up(self) -> None:
        """Tells the process that there is nothing more to do."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()


Finished = tuple[Piece, list[tuple[int, str]]]


class DecodePool:
    """Worker processes, and the pieces they have been given.

    Args:
        outputs: Column -> its processor and output.
        workers: Number of processes, at least 1.
        retry: How often a read is repeated that fails; `repeated` counts those of the workers.

    Use as a context manager: leaving it ends the processes.
    """

    def __init__(self, outputs: Mapping[str, Output], workers: int, retry: Retry = ONCE) -> None:
        self._outputs, self._retry = dict(outputs), retry
        self._selector = selectors.DefaultSelector()
        self._workers = [self._start() for _ in range(workers)]
        self._waiting: list[Finished] = []
        self._next_id = 0
        self._restarts = 0

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def outstanding(self) -> int:
        """Pieces that have been submitted and not yet given back by `wait`."""
        return sum(len(worker.pieces) for worker in self._workers) + len(self._waiting)

    def submit(self, piece: Piece) -> None:
        """Gives a piece to the worker with the least to do."""
        worker = min(self._workers, key=lambda item: len(item.pieces))
        self._next_id += 1
        worker.pieces[self._next_id] = piece
        archive, names = _addresses(piece.items)
        worker.send(
            {
                "id": self._next_id,
                "column": piece.column,
                "items": names,
                "archive": archive,
                "offset": piece.offset,
            }
        )

    def wait(self, timeout: float | None = None) -> list[Finished]:
        """Pieces that have finished since the last call, with row and reason of their bad items.

        Args:
            timeout: Longest wait in seconds for the first one; None waits as long as it takes.

        Raises:
            DataError: The workers cannot start, or the output cannot be written.
        """
        while not self._waiting and self.outstanding:
            events = self._selector.select(timeout)
            for key, _ in events:
                self._receive(key.data)
            if timeout is not None:
                break
        finished, self._waiting = self._waiting, []
        return finished

    def close(self) -> None:
        """Ends the processes: politely, then not."""
        for worker in self._workers:  # first all of them, so that they end side by side
            if not worker.pieces:
                worker.hang_up()
        for worker in self._workers:
            self._end(worker, polite=not worker.pieces)
        self._workers = []
        self._selector.close()

    def _start(self) -> _Worker:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        files = [output.file for output in self._outputs.values() if output.file is not None]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trainwright.data.decode_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=files,
            env=_environment(),
        )
        assert process.stdin is not None and process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        _widen(process.stdin.fileno())
        worker = _Worker(process, errors)
        self._selector.register(process.stdout, selectors.EVENT_READ, worker)
        retry = {"attempts": self._retry.attempts, "wait": self._retry.wait}
        columns = {name: _order(output) for name, output in self._outputs.items()}
        worker.send({"columns": columns, "retry": retry})
        return worker

    def _receive(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        data = os.read(worker.process.stdout.fileno(), 1 << 16)
        if not data:
            self._replace(worker)
            return
        *lines, worker.buffer = (worker.buffer + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "ready" in answer:
                worker.ready = True
                continue
            piece = worker.pieces.pop(answer["id"])
            self._retry.repeated += answer["repeated"]
            if "error" in answer:
                raise DataError(
                    f"decoded values cannot be written: {answer['error']}",
                    where="data.cache",
                    fix="free some space, or set TRAINWRIGHT_CACHE to a folder that has it",
                )
            self._waiting.append((piece, [(piece.rows[place], why) for place, why in answer["bad"]]))

    def _replace(self, worker: _Worker) -> None:
        """Hands the pieces of a dead worker on, the one that it died of item by item."""
        code = worker.process.wait()
        worker.errors.seek(0)
        said = worker.errors.read().decode(errors="replace").strip()
        self._end(worker, polite=False)
        if not worker.ready or not worker.pieces or self._restarts >= _MOST_RESTARTS:
            raise DataError(
                f"a decoding process ended with {_cause(code)}",
                where="data",
                why=said[-2000:],
                fix="set data.workers: 0 to decode in the main process",
            )
        self._restarts += 1
        self._workers[self._workers.index(worker)] = self._start()
        # Orders are worked off in turn, so the first one left is what the worker died of.
        culprit, *others = worker.pieces.values()
        if culprit.crashes:
            reason = f"{CRASHED} twice, with {_cause(code)}"
            self._waiting.append((culprit, [(culprit.rows[0], reason)]))
        elif len(culprit.items) == 1:
            self.submit(replace(culprit, crashes=1))
        else:
            self._split(culprit)
        for piece in others:
            self.submit(piece)

    def _split(self, piece: Piece) -> None:
        size = self._outputs[piece.column].row_bytes
        for place, (item, row) in enumerate(zip(piece.items, piece.rows, strict=True)):
            self.submit(Piece(piece.column, [item], [row], piece.offset + place * size, piece.token))

    def _end(self, worker: _Worker, *, polite: bool) -> None:
        process = worker.process
        assert process.stdout is not None
        if not process.stdout.closed:
            self._selector.unregister(process.stdout)
        if not polite:
            process.kill()
        worker.hang_up()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        worker.errors.close()


def _addresses(items: Sequence[RawFile | Beside]) -> tuple[str | None, list[Any]]:
    """The archive that all items are in, None where there is none, and for each its name for the worker."""
    if all(isinstance(item, Beside) for item in items):
        pairs = [(item.value, item.picture) for item in items if isinstance(item, Beside)]
        return None, [[value.path, value.member, picture.path, picture.member] for value, picture in pairs]
    files = [item for item in items if isinstance(item, RawFile)]
    archives = {item.path if item.member is not None else None for item in files}
    if len(archives) > 1:  # a piece may reach from one shard into the next
        return None, [[item.path, item.member] for item in files]
    (archive,) = archives
    return archive, [item.path if archive is None else item.member for item in files]


def importable(processor: Processor) -> bool:
    """Whether a worker can import the processor's class: not one of a script, a notebook or a function."""
    kind = type(processor)
    return kind.__module__ != "__main__" and "<locals>" not in kind.__qualname__


def _order(output: Output) -> dict[str, Any]:
    kind = type(output.processor)
    return {
        "target": f"{kind.__module__}:{kind.__qualname__}",
        "state": output.processor.state(),
        "shape": output.shape,
        "dtype": output.dtype.str,
        "output": output.file,
    }


def _environment() -> dict[str, str]:
    """This process's environment; the same modules can be imported, and one thread does the work.

    As in `allocator.py`, the C library keeps freed memory, which the next picture needs again: else the
    kernel zeroes its pages anew, a fifth of the time in which Pillow decodes a photo.
    """
    package = str(Path(trainwright.__path__[0]).parent)
    paths = [package, *(path or str(Path.cwd()) for path in sys.path if path != package)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    keeping = {} if os.environ.get("TRAINWRIGHT_ALLOCATOR") == "system" else _KEEP_FREED_MEMORY
    return {**keeping, **os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}


def _widen(pipe: int) -> None:
    """Lets a pipe hold many orders, where the system can, so that submitting does not wait for decoding."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
