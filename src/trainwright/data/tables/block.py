"""One block of a table: its rows, and where they stand in the file."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainwright.data.tables.text_encoding import AsUtf8

BLOCK_BYTES = 8 << 20
WHOLE_BYTES = 64 << 20  # tables up to this size are one block, and are held in memory
LARGEST_RECORD = 256 << 20


@dataclass(frozen=True)
class Place:
    """Where a block stands in its file.

    Attributes:
        offset: First byte, of the uncompressed file.
        length: Bytes.
        first_line: Number of the line (of the row, in Parquet) on which it begins.
        header: Records at its beginning that are no rows.
    """

    offset: int
    length: int
    first_line: int
    header: int = 0


@dataclass(frozen=True)
class Block:
    """Rows of a part of a table.

    Attributes:
        place: Where it stands.
        table: Its rows; types may differ from block to block.
        faults: Number of each record that is no row, among the block's records from 0, and the reason.
    """

    place: Place
    table: pa.Table
    faults: Sequence[tuple[int, str]] = ()

    def records(self) -> npt.NDArray[np.int64] | None:
        """Number of each row's record in the block; None where that is the row's plus the header's."""
        if not self.faults:
            return None
        bad = [number for number, _ in self.faults]
        count = self.place.header + self.table.num_rows + len(bad)
        numbers = np.delete(np.arange(count, dtype=np.int64), bad)
        return numbers[self.place.header :]


class TableReader(Protocol):
    """Reads one table file."""

    def blocks(self) -> Iterator[Block]:
        """Blocks in their order; only one where the table is small.

        Raises:
            DataError: The file cannot be read.
        """
        ...

    def as_text(self, place: Place, names: Sequence[str]) -> pa.Table:
        """Some columns of a block read once more, as they are written."""
        ...

    def lines(self, place: Place) -> npt.NDArray[np.int64] | None:
        """Number of the line of every record of a block; None where records are numbered themselves."""
        ...


def is_compressed(path: Path) -> bool:
    """Whether the file's name says gzip."""
    return path.suffix.lower() == ".gz"


def open_bytes(path: Path, encoding: str = "utf-8") -> IO[bytes]:
    """The uncompressed bytes of a file, readable from any place; text of another encoding as UTF-8."""
    file = _uncompressed(path)
    return file if encoding == "utf-8" else io.BufferedReader(AsUtf8(file, encoding, str(path)))


def _uncompressed(path: Path) -> IO[bytes]:
    if is_compressed(path):
        return io.BufferedReader(gzip.open(path, "rb"))
    return path.open("rb")


def kind_of(path: Path) -> str:
    """The file's suffix in lower case, without that of a compression: `.csv` of `a.CSV.gz`."""
    return (Path(path.stem) if is_compressed(path) else path).suffix.lower()
