"""Decoding on the fly: rows are decoded by worker processes ahead of their use, into shared memory.

For data that are not kept decoded (`cache: none`, or larger than the cache may be). The values are those
of the decoded cache to the bit, for any number of workers.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trainwright.data.blocks import BlockValues
from trainwright.data.decode_pool import DecodePool, Output, Piece, importable
from trainwright.data.encoding import encode_block, encode_rows, stored_form
from trainwright.data.faults import raise_bad
from trainwright.data.retry import ONCE, Retry
from trainwright.data.storing import holds_files
from trainwright.data.types import Dropped, Processor, Values

_PIECE = 16  # rows per order: a batch is shared by the workers, so that the first one comes soon


@dataclass
class _Batch:
    """A requested batch, and how many of its values are still to come."""

    rows: np.ndarray
    slot: int
    missing: int
    bad: list[Dropped] = field(default_factory=list)


class DecodeStream:
    """Batches of rows, decoded in the order in which they are requested.

    Args:
        columns: Column -> raw values of all rows, from `PreparedData.streamed`.
        processors: Column -> its fitted processor.
        workers: Decoding processes; 0 decodes when a batch is taken.
        max_rows: Largest number of rows of one request.
        ahead: Requests that may be open at once, besides the batch that is in use.
        retry: How often a read is repeated that fails.

    Use as a context manager, or call `close`.
    """

    def __init__(
        self,
        columns: Mapping[str, Values],
        processors: Mapping[str, Processor],
        *,
        workers: int,
        max_rows: int,
        ahead: int = 4,
        retry: Retry = ONCE,
    ) -> None:
        self._retry = retry
        self._columns = dict(columns)
        self._max_rows, self._slots = max_rows, ahead + 1
        forms = {name: stored_form(processors[name], values, retry) for name, values in columns.items()}
        in_workers = all(holds_files(values) for values in columns.values()) and all(
            importable(processors[name]) for name in columns
        )
        self._memory = {
            name: _SharedRows(self._slots * max_rows, shape, dtype) if workers and in_workers else None
            for name, (shape, dtype) in forms.items()
        }
        self._outputs = {
            name: Output(
                processors[name], shape, dtype, memory.file if (memory := self._memory[name]) else None
            )
            for name, (shape, dtype) in forms.items()
        }
        self._pool = DecodePool(self._outputs, workers, retry) if workers and in_workers else None
        self._open: deque[_Batch] = deque()
        self._requests = 0

    def __enter__(self) -> DecodeStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pending(self) -> int:
        """Batches that have been requested and not yet taken."""
        return len(self._open)

    @property
    def full(self) -> bool:
        """Whether another request has to wait until a batch is taken."""
        return len(self._open) >= self._slots - 1

    def request(self, rows: np.ndarray) -> None:
        """Asks for the values of `rows`, int64 `[n]`, to be taken by a later `next`.

        Raises:
            ValueError: Too many rows, or too many open requests.
        """
        if len(rows) > self._max_rows or self.full:
            raise ValueError(f"{len(rows)} rows of {self._max_rows}, {len(self._open)} open requests")
        batch = _Batch(np.asarray(rows), self._requests % self._slots, len(rows) * len(self._columns))
        self._requests += 1
        self._open.append(batch)
        if self._pool is not None:
            for name in self._columns:
                self._submit(self._pool, name, batch)

    def next(self) -> dict[str, np.ndarray]:
        """Stored values `[n, ...]` per column of the oldest open request.

        The arrays are views of shared memory, valid until the next call of `next`.

        Raises:
            DataError: A file could be read when the data were prepared, and cannot be now.
            IndexError: There is no open request.
        """
        values, bad = self.next_and_bad()
        if bad:
            raise_bad(bad)
        return values

    def next_and_bad(self) -> tuple[dict[str, np.ndarray], list[Dropped]]:
        """Like `next`, with the samples that cannot be read, whose values are zeros, instead of an error."""
        batch = self._open[0]
        values = self._decode_here(batch) if self._pool is None else self._collect(self._pool, batch)
        self._open.popleft()
        return values, batch.bad

    def decode(self, row: int) -> tuple[dict[str, np.ndarray], list[Dropped]]:
        """Stored values `[...]` per column of one row, decoded in this process, whatever is requested."""
        batch = _Batch(np.array([row]), 0, 0)
        values = self._decode_here(batch)
        return {name: value[0] for name, value in values.items()}, batch.bad

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Stored values of `rows`, requested and taken at once; there must be no open request."""
        self.request(rows)
        return self.next()

    def close(self) -> None:
        """Ends the workers and gives back the shared memory."""
        if self._pool is not None:
            self._pool.close()
        for memory in self._memory.values():
            if memory is not None:
                memory.close()

    def _submit(self, pool: DecodePool, name: str, batch: _Batch) -> None:
        values, size = self._columns[name], self._outputs[name].row_bytes
        first = batch.slot * self._max_rows
        for start in range(0, len(batch.rows), _PIECE):
            rows = batch.rows[start : start + _PIECE].tolist()
            items = [values[row] for row in rows]
            pool.submit(Piece(name, items, rows, (first + start) * size, batch))

    def _collect(self, pool: DecodePool, batch: _Batch) -> dict[str, np.ndarray]:
        while batch.missing:
            for piece, faults in pool.wait():
                owner: _Batch = piece.token
                owner.missing -= len(piece.items)
                owner.bad += [self._named(row, piece.column, reason) for row, reason in faults]
        place = slice(batch.slot * self._max_rows, batch.slot * self._max_rows + len(batch.rows))
        return {name: memory.values[place] for name, memory in self._memory.items() if memory is not None}

    def _named(self, row: int, column: str, reason: str) -> Dropped:
        name = getattr(self._columns[column][row], "name", f"row {row}")
        return Dropped(row, name, column, reason)

    def _decode_here(self, batch: _Batch) -> dict[str, np.ndarray]:
        values = {}
        for name, output in self._outputs.items():
            column = self._columns[name]
            if isinstance(column, BlockValues):
                raws = column.take(batch.rows)
                values[name], faults = encode_block(output.processor, raws, output.shape, output.dtype)
            else:
                each = (column[int(row)] for row in batch.rows)
                values[name], faults = encode_rows(
                    output.processor, each, len(batch.rows), output.shape, output.dtype, self._retry
                )
            batch.bad += [self._named(int(batch.rows[place]), name, reason) for place, reason in faults]
        return values


class _SharedRows:
    """Memory that other processes write to through a file descriptor; it has no name to leave behind."""

    def __init__(self, rows: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        size = max(1, rows * int(np.prod(shape)) * dtype.itemsize)
        self.file = _anonymous_file()
        os.ftruncate(self.file, size)
        self._map = mmap.mmap(self.file, size)
        self.values = np.frombuffer(self._map, dtype=dtype, count=rows * int(np.prod(shape))).reshape(
            rows, *shape
        )

    def close(self) -> None:
        """Gives the descriptor back; the memory goes with the last array that shows it."""
        os.close(self.file)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("trainwright-batches")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
