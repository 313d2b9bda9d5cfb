"""Some rows of a column, stored or raw, without a copy of them all."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainwright.data.blocks import BlockValues
from trainwright.data.sources.base import LazySequence
from trainwright.data.types import Values


class StoredRows:
    """Some rows of stored values, read slice by slice, so that a fit needs no copy of them all.

    Attributes:
        shape: `[n, ...]`, as the copy would have it.
    """

    def __init__(self, values: np.ndarray, rows: np.ndarray) -> None:
        self._values, self._rows = values, rows
        self.shape = (len(rows), *values.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> np.ndarray:
        return self._values[self._rows[place]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._values[self._rows], dtype=dtype)


def take(values: Values, rows: np.ndarray) -> Values:
    """The raw values of some rows."""
    if isinstance(values, np.ndarray):
        return values[rows]
    if isinstance(values, BlockValues):
        return values.at(rows)
    return LazySequence(len(rows), lambda place: values[int(rows[place])])
