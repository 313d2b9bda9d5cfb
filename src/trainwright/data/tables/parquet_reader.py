"""Parquet files, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from trainwright.data.tables import block as sizes
from trainwright.data.tables.block import Block, Place
from trainwright.errors import DataError


class ParquetReader:
    """Reads Parquet files; their records are numbered from 0.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def blocks(self) -> Iterator[Block]:
        """Blocks in their order; only one where the table is small. Raises DataError."""
        try:
            with pq.ParquetFile(self._path, memory_map=True) as file:
                yield from self._blocks(file)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise DataError(
                f"the Parquet file cannot be read: {error}",
                where=str(self._path),
                fix="write or download the file again",
            ) from error

    def as_text(self, place: Place, names: Sequence[str]) -> pa.Table:
        """Never asked for: a column of a Parquet file has one type in all blocks."""
        raise AssertionError(f"{self._path}: {', '.join(names)} with several types in one Parquet file")

    def lines(self, place: Place) -> None:
        """None: records are numbered themselves."""

    def _blocks(self, file: pq.ParquetFile) -> Iterator[Block]:
        rows = file.metadata.num_rows
        groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
        size = sum(group.total_byte_size for group in groups)
        if size <= sizes.WHOLE_BYTES:
            yield Block(Place(0, 0, 0), file.read(use_threads=False))
            return
        first = 0
        for batch in file.iter_batches(
            batch_size=max(1, rows * sizes.BLOCK_BYTES // size), use_threads=False
        ):
            yield Block(Place(0, 0, first), pa.Table.from_batches([batch]))
            first += batch.num_rows
