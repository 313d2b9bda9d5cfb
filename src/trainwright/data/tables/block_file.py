"""Blocks of a table in one file: each column of each block is an Arrow stream of its own, mapped when read.

The file stays open, so that it can be read to the end also where another process takes its name away.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainwright.data.tables.arrow_values import arrow_integers

_DATA, _SPANS = "blocks.arrows", "spans.npy"
RECORDS = ""  # the column with the numbers of records, where rows are left out


class BlockFileWriter:
    """Appends blocks.

    Args:
        folder: Where the files are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / _DATA).open("wb")
        self._spans: list[dict[str, tuple[int, int]]] = []

    def append(self, table: pa.Table, records: npt.NDArray[np.int64] | None) -> None:
        """Writes a block.

        Args:
            table: Its rows.
            records: Number of each row's record, None where none is left out.
        """
        spans = {name: self._write(table.column(name)) for name in table.column_names}
        if records is not None:
            spans[RECORDS] = self._write(pa.chunked_array([arrow_integers(records)]))
        self._spans.append(spans)

    def replace(self, number: int, name: str, values: pa.ChunkedArray) -> None:
        """Puts other values in the place of a block's column; the old ones remain as waste."""
        self._spans[number][name] = self._write(values)

    def close(self, names: list[str]) -> None:
        """Writes what is still to be written.

        Args:
            names: Of the columns of all blocks, in their order.
        """
        self._file.close()
        spans = [[block.get(name, (0, 0)) for name in [*names, RECORDS]] for block in self._spans]
        np.save(self._folder / _SPANS, np.array(spans, dtype=np.int64))

    def _write(self, values: pa.ChunkedArray) -> tuple[int, int]:
        start = self._file.tell()
        sink = pa.BufferOutputStream()
        table = pa.Table.from_arrays([values], names=["values"])
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table.combine_chunks())
        self._file.write(sink.getvalue())
        return start, self._file.tell() - start


class BlockFile:
    """Reads what a `BlockFileWriter` wrote.

    Args:
        folder: Where the files are.
        names: Names of the columns, in their order.
    """

    def __init__(self, folder: Path, names: list[str]) -> None:
        self._file = (folder / _DATA).open("rb")
        self._spans = np.load(folder / _SPANS, allow_pickle=False)
        self._numbers = {name: number for number, name in enumerate([*names, RECORDS])}

    def part(self, number: int, name: str) -> pa.ChunkedArray | None:
        """One column of a block, over mapped memory; None where the block has no such column."""
        start, length = (int(value) for value in self._spans[number, self._numbers[name]])
        if not length:
            return None
        first = start - start % mmap.ALLOCATIONGRANULARITY
        mapped = mmap.mmap(self._file.fileno(), start - first + length, access=mmap.ACCESS_READ, offset=first)
        buffer = pa.py_buffer(memoryview(mapped)[start - first :])
        return pa.ipc.open_stream(buffer).read_all().column(0)
