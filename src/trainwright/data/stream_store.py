"""Stored values that are decoded while training goes on, for data that are not kept decoded."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainwright.data.encoding import stored_form
from trainwright.data.loader import ArrayStore, Store
from trainwright.data.stream import DecodeStream
from trainwright.data.types import PreparedData


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
        self._processors = {name: (data.inputs | data.targets)[name] for name in data.streamed}
        self._forms = {name: stored_form(self._processors[name], v) for name, v in data.streamed.items()}
        self._stream: DecodeStream | None = None
        self._close: Callable[[], object] = lambda: None
        self._max_rows = 0
        self._expected: deque[np.ndarray] = deque()
        self._taken: tuple[np.ndarray | None, dict[str, np.ndarray]] = (None, {})

    def row_bytes(self) -> int:
        """Bytes of one row as float32, the largest form that a batch takes."""
        streamed = sum(4 * int(np.prod(shape)) for shape, _ in self._forms.values())
        return self._kept.row_bytes() + streamed

    def expect(self, rows: np.ndarray) -> None:
        """Begins to decode what a later `gather` of these very rows will ask for."""
        stream = self._opened(len(rows))
        if not stream.full:
            stream.request(rows)
            self._expected.append(rows)

    def gather(self, column: str, rows: np.ndarray) -> Tensor:
        """Stored values of `rows` `[len(rows), ...]` on the device.

        Raises:
            DataError: A file could be read when the data were prepared, and cannot be now.
        """
        if column not in self._columns:
            return self._kept.gather(column, rows)
        if self._taken[0] is not rows:
            self._taken = (rows, self._take(rows))
        # A copy, since the stream writes later batches into the same memory.
        return torch.from_numpy(self._taken[1][column].copy()).to(self.device)

    def _take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        stream = self._opened(len(rows))
        while self._expected and self._expected[0] is not rows:
            # Someone began an epoch and left it, such as an evaluation in mid-epoch.
            self._expected.popleft()
            stream.next()
        if not self._expected:
            return stream.take(rows)
        self._expected.popleft()
        return stream.next()

    def _opened(self, rows: int) -> DecodeStream:
        """The stream, opened anew when a request is larger than its memory."""
        if self._stream is not None and rows <= self._max_rows:
            return self._stream
        if self._stream is not None:
            self._close()
            self._expected.clear()
            self._taken = (None, {})
        self._max_rows = max(1, rows)
        self._stream = DecodeStream(
            self._columns, self._processors, workers=self._workers, max_rows=self._max_rows
        )
        self._close = weakref.finalize(self, self._stream.close)
        return self._stream


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
