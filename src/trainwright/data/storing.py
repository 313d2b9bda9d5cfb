"""Stored values of slow columns: found in the cache, or decoded into it by worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trainwright.data.blocks import BlockValues
from trainwright.data.cache import DecodedCache, Entry, JsonCache
from trainwright.data.columns import PlannedColumn
from trainwright.data.decode_pool import CRASHED, DecodePool, Output, Piece, importable
from trainwright.data.encoding import (
    Bad,
    encode_blocks,
    encode_column,
    encode_rows,
    stored_form,
    write_rows,
)
from trainwright.data.retry import ONCE, Retry
from trainwright.data.types import Beside, RawFile, Values
from trainwright.wording import counted, with_count

Progress = Callable[[str, int, int], None]
_IN_PROCESS = 32  # files that are decoded sooner than a worker process has started
_PIECE = 64  # files per order: a few milliseconds of small pictures, a second of the largest photos
_TRIED_AGAIN = 1000  # bad rows up to which all are read again at every start
_SAMPLED = 100  # of more
_AHEAD = 2  # orders per worker, so that it never waits for the next one


@dataclass(frozen=True)
class Stored:
    """What became of a column.

    Attributes:
        values: Stored values `[N, ...]`, None where they are decoded on the fly.
        bad: Row and reason of each bad sample.
        cached: Whether the answer came from an earlier run.
    """

    values: np.ndarray | None
    bad: Bad
    cached: bool = False


@dataclass
class ColumnStore:
    """Encodes columns, by way of the cache where that is worth it.

    Attributes:
        cache_dir: Folder of all caches.
        identity: What the rows and their contents are: fingerprint and source, as JSON.
        workers: Processes that decode; 0 decodes here.
        on_the_fly: Whether slow columns are decoded again in every epoch.
        progress: Called with `decode`, items done and items in all.
        notices: Decisions that a person should hear of are added here.
        retry: How often a read is repeated that fails.
    """

    cache_dir: Path
    identity: dict[str, Any]
    workers: int
    on_the_fly: bool
    progress: Progress | None
    notices: list[str]
    retry: Retry = field(default_factory=Retry)

    def __post_init__(self) -> None:
        self._decoded = DecodedCache(self.cache_dir / "decoded")
        self._checked = JsonCache(self.cache_dir / "checked")

    def store(self, column: PlannedColumn) -> Stored:
        """Stored values of a column whose processor is ready to encode."""
        if not column.slow:
            return Stored(*encode_column(column.processor, column.values))
        key = {**self.identity, "column": column.parts, "processor": column.processor.cache_key()}
        if not self.on_the_fly:
            found = self._decoded.find(key)
            if found is not None:
                found = self._mended(column, key, found)
                return Stored(found.values, found.bad, cached=True)
        shape, dtype = stored_form(column.processor, column.values, self.retry)
        total = len(column.values) * int(np.prod(shape)) * dtype.itemsize
        if self.on_the_fly or total > self._decoded.limit:
            if not self.on_the_fly:
                self.notices.append(
                    f"{column.name}: {total / 2**30:.1f} GiB of decoded values exceed the cache's "
                    f"{self._decoded.limit / 2**30:.1f} GiB (TRAINWRIGHT_CACHE_GB); decoding on the fly"
                )
            return self._check(column, key, shape, dtype)
        return self._build(column, key, shape, _narrowed(column, dtype))

    def _build(
        self, column: PlannedColumn, key: dict[str, Any], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Stored:
        values = column.values

        def fill(file: int, offset: int) -> Bad:
            heavy = getattr(column.processor, "heavy", False) or isinstance(values, BlockValues)
            if not heavy and not holds_files(values):
                stored, bad = encode_column(column.processor, values)
                write_rows(file, stored, offset)
                return bad
            return self._decode(column, Output(column.processor, shape, dtype, file), offset)

        def waiting() -> None:
            self.notices.append(f"{column.name}: waited for another process that was decoding the same data")

        try:
            entry, cached = self._decoded.build(key, (len(values), *shape), dtype, fill, waiting)
        except OSError as error:
            self.notices.append(
                f"{column.name}: decoded values cannot be cached ({error}); decoding on the fly"
            )
            return self._check(column, key, shape, dtype)
        return Stored(entry.values, entry.bad, cached)

    def _check(
        self, column: PlannedColumn, key: dict[str, Any], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Stored:
        """Decodes everything once without keeping it, so that no bad file waits in the middle of training."""
        known = self._checked.find(key)
        if known is not None:
            bad = [(int(row), str(why)) for row, why in known]
            rows, _ = self._recovered(column, bad, shape, dtype)
            if rows:
                bad = _without(bad, rows)
                self._checked.store(key, bad)
            return Stored(None, bad, cached=True)
        output = Output(column.processor, shape, dtype, None)
        bad = self._decode(column, output, 0)
        self._checked.store(key, bad)
        return Stored(None, bad)

    def _mended(self, column: PlannedColumn, key: dict[str, Any], entry: Entry) -> Entry:
        """The entry, with what was bad when it was built and can be read now."""
        form = entry.values.shape[1:], entry.values.dtype
        rows, values = self._recovered(column, entry.bad, *form)
        if not rows:
            return entry
        bad = _without(entry.bad, rows)
        mended = self._decoded.mend(key, rows, values, bad)
        if mended is not None:
            return mended
        kept = entry.values.copy()  # the folder cannot be written, so the values are held
        kept[rows] = values
        return Entry(kept, bad)

    def _recovered(
        self, column: PlannedColumn, bad: Bad, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> tuple[list[int], np.ndarray]:
        """Rows that could not be read once and can be now, and their stored values: a store may be back.

        Of very many bad rows some are tried first.
        """
        rows = [row for row, reason in bad if not reason.startswith(CRASHED)]
        if not rows or not holds_files(column.values):
            return [], np.zeros((0, *shape), dtype)
        if len(rows) > _TRIED_AGAIN:
            some = bad[:: len(bad) // _SAMPLED]
            if not self._recovered(column, some, shape, dtype)[0]:
                return [], np.zeros((0, *shape), dtype)
        raws = (column.values[row] for row in rows)
        values, still = encode_rows(column.processor, raws, len(rows), shape, dtype, self.retry)
        good = np.setdiff1d(np.arange(len(rows)), [place for place, _ in still])
        if len(good):
            there = counted(len(good), "sample")
            self.notices.append(f"{column.name}: {there} that could not be read before can be read now")
        return [rows[place] for place in good.tolist()], values[good]

    def _decode(self, column: PlannedColumn, output: Output, offset: int) -> Bad:
        before = self.retry.repeated
        bad = decode_files(column, output, offset, self.workers, self.progress, self.retry)
        repeated = self.retry.repeated - before
        if repeated:
            self.notices.append(f"{column.name}: {with_count(repeated, 'reads failed and were repeated')}")
        return bad


def _without(bad: Bad, rows: list[int]) -> Bad:
    gone = set(rows)
    return [(row, reason) for row, reason in bad if row not in gone]


def decode_files(
    column: PlannedColumn,
    output: Output,
    offset: int,
    workers: int,
    progress: Progress | None,
    retry: Retry = ONCE,
) -> Bad:
    """Encodes a column into an output file, and gives row and reason of the bad samples.

    Args:
        column: A column of `RawFile`s, or one in blocks.
        output: Where the stored values go.
        offset: Byte in the output where row 0 begins.
        workers: Number of processes; 0 decodes here.
        progress: Called with `decode`, rows done and rows in all.
        retry: How often a read is repeated that fails.
    """
    values = column.values
    count = len(values)
    if isinstance(values, BlockValues):
        return _encode_blocks(values, output, offset, progress)
    if workers == 0 or count <= _IN_PROCESS or not holds_files(values) or not importable(output.processor):
        return _decode_here(values, output, offset, progress, retry)
    bad: Bad = []
    starts = iter(range(0, count, _PIECE))
    done = 0
    with DecodePool({column.name: output}, min(workers, -(-count // _PIECE)), retry) as pool:
        ahead = _AHEAD * workers
        while done < count:
            while pool.outstanding < ahead and (start := next(starts, None)) is not None:
                rows = range(start, min(start + _PIECE, count))
                items = [values[row] for row in rows]
                pool.submit(Piece(column.name, items, rows, offset + start * output.row_bytes))
            for piece, faults in pool.wait():
                done += len(piece.items)
                bad += faults
            if progress:
                progress("decode", done, count)
    return sorted(bad)


def holds_files(values: Values) -> bool:
    """Whether every value is a file that has to be read: sources do not mix."""
    return not isinstance(values, np.ndarray) and len(values) > 0 and _is_file(values[0])


def _is_file(value: Any) -> bool:
    if isinstance(value, Beside):
        return isinstance(value.value, RawFile) and isinstance(value.picture, RawFile)
    return isinstance(value, RawFile)


def worker_count(asked: int | Literal["auto"]) -> int:
    """Number of decoding processes: as asked, or one per core that this process may use."""
    if asked != "auto":
        return asked
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _narrowed(column: PlannedColumn, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What ids of classes of a column that is too long to hold are kept as: a quarter of int64."""
    few = len(column.processor.spec().classes) < np.iinfo(np.int16).max
    narrow = few and column.processor.type == "category" and isinstance(column.values, BlockValues)
    return np.dtype(np.int16) if narrow else dtype


def _encode_blocks(values: BlockValues, output: Output, offset: int, progress: Progress | None) -> Bad:
    def keep(start: int, stored: np.ndarray) -> None:
        if output.file is not None:
            write_rows(output.file, stored, offset + start * output.row_bytes)
        if progress:
            progress("decode", start + len(stored), len(values))

    return encode_blocks(output.processor, values, output.shape, output.dtype, keep)


def _decode_here(values: Values, output: Output, offset: int, progress: Progress | None, retry: Retry) -> Bad:
    bad: Bad = []
    for start in range(0, len(values), _PIECE):
        rows = range(start, min(start + _PIECE, len(values)))
        part = map(values.__getitem__, rows)
        stored, faults = encode_rows(output.processor, part, len(rows), output.shape, output.dtype, retry)
        bad += [(start + place, reason) for place, reason in faults]
        if output.file is not None:
            write_rows(output.file, stored, offset + start * output.row_bytes)
        if progress:
            progress("decode", start + len(rows), len(values))
    return bad
