"""Columns too long to hold: their values are read block by block, or some rows at a time.

A source gives such a column where the whole of it would take too much memory; everything else is a NumPy
array or a list, which counts as one block.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from trainwright.data.types import Values

Rows = npt.NDArray[np.int64]


class CodedValues(Sequence[Any]):
    """Values of which many are equal, held as distinct values and the place of each row's among them.

    Args:
        distinct: Raw values; None is missing.
        codes: Place in `distinct` of every row's value, whole numbers `[N]`.
    """

    def __init__(self, distinct: list[Any], codes: npt.NDArray[Any]) -> None:
        self.distinct, self.codes = distinct, codes

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice | Rows) -> CodedValues: ...
    def __getitem__(self, index: int | slice | Rows) -> Any:
        picked = self.codes[index]
        return CodedValues(self.distinct, picked) if np.ndim(picked) else self.distinct[int(picked)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = np.empty(len(self.distinct), dtype=object)
        values[:] = self.distinct
        return values[self.codes].astype(dtype or object, copy=False)


class BlockValues(Sequence[Any]):
    """Raw values of a column in blocks of consecutive rows, each read when it is asked for.

    Args:
        sizes: Number of rows of each block.
    """

    def __init__(self, sizes: npt.ArrayLike) -> None:
        self.starts: Rows = np.concatenate(([0], np.cumsum(np.asarray(sizes, dtype=np.int64))))

    @abstractmethod
    def block(self, number: int) -> np.ndarray | CodedValues:
        """Raw values of the rows from `starts[number]` to `starts[number + 1]`."""

    def block_rows(self, number: int, places: Rows) -> np.ndarray | CodedValues:
        """Raw values of some rows of a block, by their place in it; override where that is quicker."""
        return self.block(number)[places]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def blocks(self) -> Iterator[tuple[int, np.ndarray | CodedValues]]:
        """First row and values of every block that has rows."""
        for number, start in enumerate(self.starts[:-1]):
            if self.starts[number + 1] > start:
                yield int(start), self.block(number)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice | Rows) -> Any: ...
    def __getitem__(self, index: int | slice | Rows) -> Any:
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        if isinstance(index, np.ndarray) and index.ndim:
            return self.take(index)
        row = int(index)
        if not -len(self) <= row < len(self):
            raise IndexError(f"index {row} of {len(self)} values")
        row %= len(self)
        number = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.block_rows(number, np.array([row - int(self.starts[number])]))[0]

    def __iter__(self) -> Iterator[Any]:
        for _, block in self.blocks():
            yield from block.tolist() if isinstance(block, np.ndarray) else block

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        parts = [np.asarray(block) for _, block in self.blocks()]
        whole = np.concatenate(parts) if parts else np.empty(0)
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def take(self, rows: Rows) -> np.ndarray:
        """Raw values of some rows, in their order; every block is read once."""
        if not len(rows):
            return np.empty(0)
        order = None if bool((rows[1:] >= rows[:-1]).all()) else np.argsort(rows, kind="stable")
        picked = np.concatenate(
            [np.asarray(block) for _, block in self.at(rows if order is None else rows[order]).blocks()]
        )
        if order is None:
            return picked
        result = np.empty_like(picked)
        result[order] = picked
        return result

    def at(self, rows: Rows) -> BlockValues:
        """A view of some rows, which are given in rising order; read block by block as this is."""
        return _RowsOfBlocks(self, rows)


class _RowsOfBlocks(BlockValues):
    """Some rows of a column in blocks."""

    def __init__(self, values: BlockValues, rows: Rows) -> None:
        self._values, self._rows = values, rows
        super().__init__(np.diff(np.searchsorted(rows, values.starts)))

    def block(self, number: int) -> np.ndarray | CodedValues:
        rows = self._rows[self.starts[number] : self.starts[number + 1]]
        return self._values.block_rows(number, rows - self._values.starts[number])


class JoinedBlocks(BlockValues):
    """Several columns side by side, `[N, K]`.

    Args:
        parts: Columns in blocks of the same sizes.
    """

    def __init__(self, parts: Sequence[BlockValues]) -> None:
        super().__init__(np.diff(parts[0].starts))
        self._parts = parts

    def block(self, number: int) -> np.ndarray:
        return side_by_side([part.block(number) for part in self._parts])

    def block_rows(self, number: int, places: Rows) -> np.ndarray:
        return side_by_side([part.block_rows(number, places) for part in self._parts])


def side_by_side(parts: Sequence[Values]) -> np.ndarray:
    """Columns as one array `[N, K]`: of numbers where all are, else of objects."""
    arrays = [np.asarray(part) for part in parts]
    if any(array.dtype.kind not in "fiub" for array in arrays):
        arrays = [array.astype(object) for array in arrays]
    return np.column_stack(arrays)


def blocks_of(values: Values) -> Iterator[tuple[int, Values]]:
    """First row and values of every block; an array or a list is one block."""
    if isinstance(values, BlockValues):
        yield from values.blocks()
    else:
        yield 0, values


def evenly_spaced(rows: Rows, most: int) -> Rows:
    """At most `most` of the rows, at equal distances and in their order."""
    if len(rows) <= most:
        return rows
    return rows[np.arange(most, dtype=np.int64) * len(rows) // most]
