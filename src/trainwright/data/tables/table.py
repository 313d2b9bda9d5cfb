"""A table of any size: in memory where it is small, else in blocks on disk that are parsed once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainwright.data.blocks import BlockValues, CodedValues, Rows
from trainwright.data.tables.arrow_values import (
    arrow_integers,
    block_values,
    is_number,
    to_numpy,
)
from trainwright.data.tables.block import Place, TableReader
from trainwright.data.tables.block_file import RECORDS, BlockFile
from trainwright.data.types import Values


class MemoryBlocks:
    """The one block of a small table.

    Args:
        table: Its rows.
        records: Number of each row's record, None where none is left out.
    """

    def __init__(self, table: pa.Table, records: npt.NDArray[np.int64] | None) -> None:
        self.table, self._records = table, records

    def part(self, number: int, name: str) -> pa.ChunkedArray | None:
        """One column; the records' numbers under the name `RECORDS`."""
        if name != RECORDS:
            return self.table.column(name)
        return None if self._records is None else pa.chunked_array([arrow_integers(self._records)])


class Table:
    """Rows of a file, with typed columns.

    Attributes:
        kinds: Column -> name of its Arrow type over all blocks.
        sizes: Rows of each block.
        starts: First row of each block, and the number of rows, int64 `[blocks + 1]`.
        faults: Block, record in it and reason of each record that is no row.
        read: Rows before any were filtered out.

    Args:
        reader: Of the file.
        blocks: The rows.
        kinds: See above.
        places: Where the blocks stand in the file.
        sizes: See above.
        faults: See above.
        read: See above.
        gaps: Columns in which a value is missing, of a table in several blocks.
    """

    def __init__(
        self,
        reader: TableReader,
        blocks: MemoryBlocks | BlockFile,
        kinds: dict[str, str],
        places: Sequence[Place],
        sizes: Sequence[int],
        faults: Sequence[tuple[int, int, str]],
        read: int,
        gaps: Collection[str] = (),
    ) -> None:
        self._reader, self._blocks, self._places = reader, blocks, places
        self.kinds, self.faults, self.read, self._gaps = kinds, faults, read, gaps
        self.sizes = list(sizes)
        self.starts: Rows = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int64)
        self._lines = lru_cache(1)(self._block_lines)

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def in_memory(self) -> bool:
        """Whether the whole table is held."""
        return isinstance(self._blocks, MemoryBlocks)

    def column(self, name: str) -> Values:
        """Raw values of a column: an array, or blocks of a table that is not held."""
        if isinstance(self._blocks, MemoryBlocks):
            return to_numpy(self._blocks.table.column(name), self.kinds[name])
        return TableColumn(self, name)

    def part(self, number: int, name: str) -> pa.ChunkedArray:
        """One column of a block, as Arrow has it."""
        part = self._blocks.part(number, name)
        return pa.chunked_array([pa.nulls(self.sizes[number])]) if part is None else part

    def block_values(self, number: int, name: str) -> np.ndarray | CodedValues:
        """Raw values of one column of a block."""
        return self.converted(name, self.part(number, name))

    def converted(self, name: str, part: pa.ChunkedArray) -> np.ndarray | CodedValues:
        """Raw values of a part of a column; whole numbers are float64 in all blocks if one has a gap."""
        kind = self.kinds[name]
        return block_values(part, "double" if name in self._gaps and is_number(kind) else kind)

    def records(self, number: int) -> Rows:
        """Number of the record of each row of a block, among the block's records from 0."""
        records = self._blocks.part(number, RECORDS)
        if records is None:
            return self._places[number].header + np.arange(self.sizes[number], dtype=np.int64)
        return to_numpy(records)

    def line(self, row: int) -> int:
        """Number of the line on which a row begins, from 1; in Parquet, of the row in the file, from 0."""
        number = int(np.searchsorted(self.starts, row, side="right")) - 1
        place = row - int(self.starts[number])
        records = self._blocks.part(number, RECORDS)
        record = self._places[number].header + place if records is None else records[place].as_py()
        return self.record_line(number, record)

    def record_line(self, number: int, record: int) -> int:
        """Number of the line of a block's record."""
        lines = None if self._is_a_line_each(number) else self._lines(number)
        if lines is None:
            return self._places[number].first_line + record
        # Quotes that nobody closes make the parser's records others than those counted here.
        return int(lines[min(record, len(lines) - 1)]) if len(lines) else self._places[number].first_line

    def _is_a_line_each(self, number: int) -> bool:
        """Whether a block has as many lines as rows: no record is empty, is no row or spans several lines."""
        if number + 1 == len(self._places):
            return False
        place = self._places[number]
        return self._places[number + 1].first_line - place.first_line == place.header + self.sizes[number]

    def _block_lines(self, number: int) -> npt.NDArray[np.int64] | None:
        return self._reader.lines(self._places[number])


class TableColumn(BlockValues):
    """A column of a table that is not held in memory."""

    def __init__(self, table: Table, name: str) -> None:
        super().__init__(np.diff(table.starts))
        self._table, self.name = table, name

    def block(self, number: int) -> np.ndarray | CodedValues:
        return self._table.block_values(number, self.name)

    def block_rows(self, number: int, places: Rows) -> np.ndarray | CodedValues:
        part = self._table.part(number, self.name).take(arrow_integers(places))
        return self._table.converted(self.name, part)
