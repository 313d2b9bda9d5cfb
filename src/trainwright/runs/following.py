"""Handing a run's metrics on to whoever wants them: the spool is followed, the training never waits.

A `Follower` is a thread that reads `metrics.jsonl` from a remembered mark and gives the records in batches
to a `Consumer` (the index, a sink). A consumer that is slow, fails or hangs holds up nothing but its own
thread; it is given the rest later, also by another process after a resume.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from trainwright.log import logger
from trainwright.runs.atomic import write_json
from trainwright.runs.metrics import MetricRecord, parse_record

_BLOCK = 1 << 18
_SEEN = 256
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a spool was read.

    Attributes:
        offset: Bytes, up to the end of a line.
        digest: Of the last bytes before the offset: another file of this name is read from its beginning.
    """

    offset: int = 0
    digest: str = ""


class Consumer(Protocol):
    """Who is given the records. All methods are called on the follower's thread, and may raise or block."""

    def remembered(self) -> Mark:
        """The mark that was given with the last batch that was kept; `Mark()` at first."""
        ...

    def take(self, records: Sequence[MetricRecord], mark: Mark) -> None:
        """Keeps records, and the mark with them.

        A batch whose `take` raised, or during which the process died, is given again: a consumer keeps
        records and mark in one transaction, or knows records that it has by (key, step, attempt).
        """
        ...

    def end(self) -> None:
        """Nothing more comes from this process."""
        ...


class MarkFile:
    """A mark in a file of its own, for consumers that cannot keep it beside the records.

    Args:
        path: The file; it is replaced as a whole. Its directory must exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def read(self) -> Mark:
        """The mark; `Mark()` where there is none or it cannot be read."""
        try:
            value = json.loads(self.path.read_bytes())
            return Mark(int(value["offset"]), str(value["digest"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Mark()

    def write(self, mark: Mark) -> None:
        """Replaces the mark, durably. Raises StorageError."""
        write_json(self.path, asdict(mark))


def read_batch(
    path: str | os.PathLike[str], mark: Mark, *, block: int = _BLOCK
) -> tuple[list[MetricRecord], Mark]:
    """The records behind a mark, about `block` bytes of them, and the mark behind those.

    A torn last line is left for later. A damaged line with others behind it is passed over with a warning.

    Args:
        path: `metrics.jsonl`; no file is no records.
        mark: Where to go on. Where the file does not fit it (cut or replaced), from the beginning.
        block: Bytes to read at once; more where a line is longer.
    """
    try:
        with Path(path).open("rb") as file:
            start = _checked(file, mark, path)
            lines, more = _whole_lines(file, start, block)
            records, used = _parsed(lines, path, start, more=more)
            end = start + used
            return records, Mark(end, _digest(file, end))
    except FileNotFoundError:
        return [], mark


def fits(path: str | os.PathLike[str], mark: Mark) -> bool:
    """Whether a mark was set in this file, so that reading goes on behind it."""
    try:
        with Path(path).open("rb") as file:
            return _fits(file, mark)
    except FileNotFoundError:
        return not mark.offset


class Follower:
    """Hands a spool's records to a consumer, on a thread of its own.

    Args:
        path: `metrics.jsonl`, which may not be there yet.
        consumer: Who is given the records.
        name: What the consumer is called in messages.
        interval: Seconds between two looks at the file; doubled at every failure, up to a minute.
    """

    def __init__(
        self, path: str | os.PathLike[str], consumer: Consumer, *, name: str, interval: float = 1.0
    ) -> None:
        self.path, self.consumer, self.name, self.interval = Path(path), consumer, name, interval
        self.error: Exception | None = None
        self.mark: Mark | None = None
        self._closing, self._abandoned = threading.Event(), threading.Event()
        self._failures = 0
        self._complete = False
        self._thread = threading.Thread(target=self._work, name=f"trainwright-{name}", daemon=True)

    def start(self) -> Follower:
        """Begins to follow."""
        self._thread.start()
        return self

    @property
    def complete(self) -> bool:
        """Whether everything was handed over and the consumer has ended."""
        return self._complete

    def close(self, wait: float) -> bool:
        """Hands over what is left, for at most `wait` seconds; whether everything was handed over.

        A consumer that fails is tried twice more at most, so that a dead one does not hold up the end.
        """
        self._closing.set()
        self._thread.join(wait)
        self._abandoned.set()
        return self._complete

    def behind(self) -> int:
        """Bytes of the spool that were not handed over yet."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return 0
        return max(0, size - (self.mark.offset if self.mark is not None else 0))

    def _work(self) -> None:
        while not self._abandoned.is_set():
            closing = self._closing.is_set()
            try:
                more = self._hand_over()
                if closing and not more:
                    self.consumer.end()
                    self._complete = True
                    return
            except Exception as error:  # whatever it is, it is the consumer's trouble and not the run's
                self._failed(error)
                if closing and self._failures > 1:
                    return
                more = False
            if not more:
                self._wait(min(self.interval * 2**self._failures, _LONGEST_WAIT))

    def _hand_over(self) -> bool:
        """Gives one batch; whether there may be another one at once."""
        if self.mark is None:
            self.mark = self.consumer.remembered()
        records, mark = read_batch(self.path, self.mark)
        if records:
            self.consumer.take(records, mark)
        self.mark = mark
        if self._failures:
            logger.info("%s takes metrics again", self.name)
        self._failures, self.error = 0, None
        return bool(records)

    def _failed(self, error: Exception) -> None:
        self.error = error
        self.mark = None  # what it kept of the batch, only the consumer knows
        if not self._failures:
            logger.warning("%s takes no metrics, they are kept for later: %s", self.name, _in_words(error))
        self._failures += 1

    def _wait(self, seconds: float) -> None:
        if not self._closing.is_set():
            self._closing.wait(seconds)
        elif self._failures:
            self._abandoned.wait(self.interval)


def _in_words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


def _checked(file: BinaryIO, mark: Mark, path: str | os.PathLike[str]) -> int:
    """The mark's offset, or 0 where the file is not the one that it was set in."""
    if not _fits(file, mark):
        logger.warning("%s is not the file that was read before; it is read from its beginning", path)
        return 0
    return mark.offset


def _fits(file: BinaryIO, mark: Mark) -> bool:
    if not mark.offset:
        return True
    return file.seek(0, os.SEEK_END) >= mark.offset and _digest(file, mark.offset) == mark.digest


def _digest(file: BinaryIO, end: int) -> str:
    import hashlib  # loads OpenSSL, which a table of runs has no use for

    file.seek(max(0, end - _SEEN))
    return hashlib.sha256(file.read(min(end, _SEEN))).hexdigest()[:16] if end else ""


def _whole_lines(file: BinaryIO, start: int, block: int) -> tuple[list[bytes], bool]:
    """Lines that end within the block, with their newlines, and whether the file goes on behind them."""
    file.seek(start)
    data = file.read(block)
    while data and b"\n" not in data and (rest := file.read(block)):
        data += rest
    end = data.rfind(b"\n") + 1
    lines = [line + b"\n" for line in data[:end].split(b"\n")[:-1]]
    return lines, end < len(data) or bool(file.read(1))


def _parsed(
    lines: Sequence[bytes], path: str | os.PathLike[str], start: int, *, more: bool
) -> tuple[list[MetricRecord], int]:
    """Records, and the bytes that they take; the last line of a file may still be cut off by its writer."""
    records: list[MetricRecord] = []
    used = 0
    for number, line in enumerate(lines):
        try:
            records.append(parse_record(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines) - 1 and not more:
                break
            logger.warning("a line of %s at byte %d is damaged and left out: %s", path, start + used, error)
        used += len(line)
    return records, used
