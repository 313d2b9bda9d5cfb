"""Stored values that are decoded while training goes on, for data that are not kept decoded."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainwright.data.encoding import stored_form
from trainwright.data.loader import ArrayStore, Store
from trainwright.data.retry import ONCE
from trainwright.data.stream import DecodeStream
from trainwright.data.types import Dropped, PreparedData
from trainwright.errors import RunError

_MOST_AHEAD = 4  # requests
_AHEAD_BYTES = 256 << 20  # decoded values that wait to be used; one request may always be open


@dataclass
class _Expected:
    """Rows that were announced, and the rows that were asked of the stream for them."""

    rows: np.ndarray
    asked: np.ndarray | None = None


class StreamStore:
    """Columns in memory, and columns that worker processes decode ahead of their use.

    The worker processes start at the first use and end with the store.

    Args:
        data: Prepared data; its `streamed` columns are decoded, its `arrays` are read.
        device: Where batches are needed.
    """

    def __init__(self, data: PreparedData, device: torch.device) -> None:
        self.device = device
        self._kept = ArrayStore(data.arrays, device, resident=False)
        self._columns, self._workers = data.streamed, data.workers
        self._retry, self._substitutes = data.retry or ONCE, data.substitutes
        self._processors = {name: (data.inputs | data.targets)[name] for name in data.streamed}
        self._forms = {
            name: stored_form(self._processors[name], v, self._retry) for name, v in data.streamed.items()
        }
        self._stream: DecodeStream | None = None
        self._close: Callable[[], object] = lambda: None
        self._max_rows = 0
        self._expected: deque[_Expected] = deque()
        self._taken: tuple[np.ndarray | None, dict[str, np.ndarray]] = (None, {})

    def row_bytes(self) -> int:
        """Bytes of one row as float32, the largest form that a batch takes."""
        streamed = sum(4 * int(np.prod(shape)) for shape, _ in self._forms.values())
        return self._kept.row_bytes() + streamed

    def expect(self, rows: np.ndarray) -> None:
        """Begins to decode what a later `gather` of these very rows will ask for, when there is room."""
        self._expected.append(_Expected(rows))
        self._request(self._opened(len(rows)))

    def settle(self, rows: np.ndarray) -> np.ndarray:
        """The rows that can be read, to be given to `gather`: a substitute for each that cannot.

        Raises:
            RunError: A sample cannot be read and may not be skipped.
        """
        asked, values, bad = self._take(rows)
        if not bad and self._substitutes is None:
            self._taken = (rows, values)
            return rows
        settled = self._substituted(rows, asked, values, bad)
        self._taken = (settled, values)
        return settled

    def gather(self, column: str, rows: np.ndarray) -> Tensor:
        """Stored values of `rows` `[len(rows), ...]` on the device.

        Raises:
            RunError: A file could be read when the data were prepared, and cannot be now.
        """
        if column not in self._columns:
            return self._kept.gather(column, rows)
        if self._taken[0] is not rows:
            _, values, bad = self._take(rows)
            if bad:
                raise _unreadable(bad)
            self._taken = (rows, values)
        # A copy, since the stream writes later batches into the same memory.
        return torch.from_numpy(self._taken[1][column].copy()).to(self.device)

    def _substituted(
        self, rows: np.ndarray, asked: np.ndarray, values: dict[str, np.ndarray], bad: list[Dropped]
    ) -> np.ndarray:
        """Replaces what cannot be read, in `values` too, until nothing is left that cannot."""
        if self._substitutes is None:
            raise _unreadable(bad)
        stream = self._opened(len(rows))
        current = asked
        while True:
            for item in bad:
                self._substitutes.report(item.row, item.column, item.reason)
            bad, wanted = [], self._substitutes.replaced(rows)
            changed = np.flatnonzero(wanted != current)
            if not len(changed):
                return wanted
            for place in changed.tolist():
                decoded, faults = stream.decode(int(wanted[place]))
                bad += faults
                for name, value in decoded.items():
                    values[name][place] = value
            current = wanted

    def _take(self, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray], list[Dropped]]:
        """Rows that were decoded for `rows`, their values, and what of them is bad."""
        stream = self._opened(len(rows))
        while self._expected and self._expected[0].rows is not rows:
            # Someone began an epoch and left it, such as an evaluation in mid-epoch.
            if self._expected.popleft().asked is not None:
                stream.next_and_bad()
        if not self._expected:
            self._expected.append(_Expected(rows))
        self._request(stream)
        found = self._expected.popleft()
        assert found.asked is not None
        values, bad = stream.next_and_bad()
        self._request(stream)
        return found.asked, values, bad

    def _request(self, stream: DecodeStream) -> None:
        """Asks the stream for what is expected next, as far as it has room."""
        for item in self._expected:
            if stream.full:
                return
            if item.asked is None:
                item.asked = item.rows
                if self._substitutes is not None:
                    item.asked = self._substitutes.replaced(item.rows)
                stream.request(item.asked)

    def _opened(self, rows: int) -> DecodeStream:
        """The stream, opened anew when a request is larger than its memory."""
        if self._stream is not None and rows <= self._max_rows:
            return self._stream
        if self._stream is not None:
            self._close()
            self._taken = (None, {})
            for item in self._expected:
                item.asked = None
        self._max_rows = max(1, rows)
        size = sum(int(np.prod(shape)) * dtype.itemsize for shape, dtype in self._forms.values())
        self._stream = DecodeStream(
            self._columns,
            self._processors,
            workers=self._workers,
            max_rows=self._max_rows,
            ahead=max(1, min(_MOST_AHEAD, _AHEAD_BYTES // max(1, size * self._max_rows) - 1)),
            retry=self._retry,
        )
        self._close = weakref.finalize(self, self._stream.close)
        return self._stream


def _unreadable(bad: list[Dropped]) -> RunError:
    """Files fail in mid-training: the run is interrupted, and goes on when they are back."""
    return RunError(
        f"{len(bad)} samples that could be read when the training began cannot be read now",
        where=bad[0].name,
        why="; ".join(f"{item.name}: {item.reason}" for item in bad[:5]),
        fix="bring the files or their store back and resume, or train with data.on_bad: {policy: skip}",
    )


def store_of(data: PreparedData, device: torch.device, *, resident: bool = False) -> Store:
    """The store that suits the data.

    Args:
        data: Prepared data.
        device: Where batches are needed.
        resident: Keep whole columns on the device, where all are in memory.
    """
    if data.streamed:
        return StreamStore(data, device)
    return ArrayStore(data.arrays, device, resident=resident)
