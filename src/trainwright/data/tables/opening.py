"""From a table's file to its rows: held in memory, or parsed once into blocks with one type per column."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainwright.data.sources.row_filter import row_mask
from trainwright.data.tables.arrow_values import TEXT, arrow_integers, joint_kind
from trainwright.data.tables.block import Block, Place, TableReader
from trainwright.data.tables.block_file import BlockFile, BlockFileWriter
from trainwright.data.tables.table import MemoryBlocks, Table
from trainwright.data.tables.table_cache import TableCache
from trainwright.errors import DataError

_MOST_FAULTS = 1_000_000
_UNFILTERED = "unfiltered"
Records = npt.NDArray[np.int64]


def open_table(reader: TableReader, row_filter: str | None, key: dict[str, Any], folder: Path) -> Table:
    """Reads a table, or finds it parsed.

    Args:
        reader: Reads its file.
        row_filter: Condition of the rows to keep.
        key: JSON that decides its rows.
        folder: Where tables that are too large for memory are kept in blocks.

    Raises:
        DataError: The file cannot be read, or its blocks cannot be kept.
        RecipeError: The condition cannot be understood.
    """
    cache = TableCache(folder)
    found = cache.find(key)
    if found is None:
        blocks = reader.blocks()
        first, second = next(blocks), next(blocks, None)
        if second is None:
            return _held(reader, first, row_filter)
        every = chain([first, second], blocks)
        del first, second
        try:
            found = cache.get(key, lambda place: _Store(reader, row_filter, place).fill(every))
            pa.default_memory_pool().release_unused()
        except OSError as error:
            raise DataError(
                f"the table is too large for memory, and its blocks cannot be kept: {error}",
                where=str(folder),
                fix="free some space, or set TRAINWRIGHT_CACHE to a folder that has it",
            ) from error
    place, about = found
    return Table(
        reader,
        BlockFile(place, list(about["kinds"])),
        about["kinds"],
        [Place(*item) for item in about["places"]],
        about["sizes"],
        [(int(number), int(record), str(reason)) for number, record, reason in about["faults"]],
        about["read"],
        about["gaps"],
    )


def _held(reader: TableReader, block: Block, row_filter: str | None) -> Table:
    faults = [(0, record, reason) for record, reason in block.faults]
    kinds = {
        name: str(kind) for name, kind in zip(block.table.column_names, block.table.schema.types, strict=True)
    }

    def made(table: pa.Table, records: Records | None) -> Table:
        blocks = MemoryBlocks(table, records)
        return Table(reader, blocks, kinds, [block.place], [len(table)], faults, len(block.table))

    whole = made(block.table, block.records())
    if row_filter is None:
        return whole
    return made(*_filtered(row_filter, whole, 0))


def _filtered(row_filter: str, table: Table, number: int) -> tuple[pa.Table, Records]:
    """The rows of a block that meet a condition, and the number of each one's record."""
    mask = row_mask(
        row_filter,
        list(table.kinds),
        lambda name: np.asarray(table.block_values(number, name)),
        table.sizes[number],
    )
    rows = np.flatnonzero(mask)
    kept = arrow_integers(rows)
    parts = {name: table.part(number, name).take(kept) for name in table.kinds}
    return pa.table(parts), table.records(number)[rows]


@dataclass
class _Store:
    """Fills a folder with the blocks of a table."""

    reader: TableReader
    row_filter: str | None
    folder: Path
    places: list[Place] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)
    faults: list[tuple[int, int, str]] = field(default_factory=list)
    gaps: set[str] = field(default_factory=set)

    def fill(self, blocks: Iterator[Block]) -> dict[str, Any]:
        """Writes all blocks, and gives what is to be known of them, as JSON."""
        folder = self.folder if self.row_filter is None else self.folder / _UNFILTERED
        folder.mkdir(exist_ok=True)
        writer = BlockFileWriter(folder)
        for block in blocks:
            writer.append(block.table, block.records())
            self._note(block)
        names = list(dict.fromkeys(name for kinds in self.seen for name in kinds))
        kinds = {name: joint_kind({kinds.get(name, "null") for kinds in self.seen}) for name in names}
        self.gaps.update(name for name in names if any(name not in seen for seen in self.seen))
        self._settle(writer, kinds)
        writer.close(names)
        read = sum(self.sizes)
        if self.row_filter is not None:
            self._filter(self.row_filter, kinds)
        places = [[place.offset, place.length, place.first_line, place.header] for place in self.places]
        about = {"kinds": kinds, "places": places, "sizes": self.sizes, "faults": self.faults}
        return {**about, "read": read, "gaps": sorted(self.gaps)}

    def _note(self, block: Block) -> None:
        number = len(self.places)
        self.places.append(block.place)
        self.sizes.append(len(block.table))
        types = zip(block.table.column_names, block.table.schema.types, strict=True)
        self.seen.append({name: str(kind) for name, kind in types})
        self.gaps.update(name for name in block.table.column_names if block.table.column(name).null_count)
        self.faults += [(number, record, reason) for record, reason in block.faults]
        if len(self.faults) > _MOST_FAULTS:
            raise DataError(
                f"more than {_MOST_FAULTS:,} lines are no rows of the table",
                where="data.source",
                why=f"the last one: {self.faults[-1][2]}",
                fix="check delimiter, header and skip_lines",
            )

    def _settle(self, writer: BlockFileWriter, kinds: dict[str, str]) -> None:
        """Reads columns again that are texts in some blocks only: 007 is no 7 then."""
        for number, seen in enumerate(self.seen):
            other = [
                name for name, kind in seen.items() if kinds[name] == TEXT and kind not in (TEXT, "null")
            ]
            if other:
                texts = self.reader.as_text(self.places[number], other)
                for name in other:
                    writer.replace(number, name, texts.column(name))

    def _filter(self, condition: str, kinds: dict[str, str]) -> None:
        """Writes the rows that meet a condition, and removes the file with all of them."""
        blocks = BlockFile(self.folder / _UNFILTERED, list(kinds))
        read = sum(self.sizes)
        table = Table(self.reader, blocks, kinds, self.places, self.sizes, [], read, self.gaps)
        writer = BlockFileWriter(self.folder)
        self.sizes = []
        for number in range(len(self.places)):
            rows, records = _filtered(condition, table, number)
            writer.append(rows, records)
            self.sizes.append(len(rows))
        writer.close(list(kinds))
        shutil.rmtree(self.folder / _UNFILTERED)
