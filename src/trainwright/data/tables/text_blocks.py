"""Text files of records in pieces that end with a record, read one after the other."""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trainwright.data.tables import block as sizes
from trainwright.data.tables.block import (
    LARGEST_RECORD,
    Block,
    Place,
    open_bytes,
)
from trainwright.data.tables.records import last_record_end
from trainwright.errors import DataError

_MOST_THREADS = 4
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class TextFile:
    """A file of delimited records.

    Attributes:
        path: The file; `.gz` is uncompressed on the way.
        delimiter: Between fields; None where quotes mean nothing.
        skip_lines: Lines before the first record that are passed over.
        header: Records of the first piece that are no rows.
        encoding: Of the text; pieces are UTF-8, and places count in that.
    """

    path: Path
    delimiter: str | None
    skip_lines: int = 0
    header: int = 0
    encoding: str = "utf-8"

    def read(self, place: Place) -> bytes:
        """The bytes of one piece."""
        with open_bytes(self.path, self.encoding) as file:
            file.seek(place.offset)
            return _with_newlines(file.read(place.length))

    def pieces(self) -> Iterator[tuple[Place, bytes]]:
        """Place and bytes of every piece; the whole file is one where it is small.

        Raises:
            DataError: It cannot be read, is no text, or a record is larger than any should be.
        """
        try:
            with open_bytes(self.path, self.encoding) as file:
                yield from self._pieces(file)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                f"the table cannot be read: {error}",
                where=str(self.path),
                fix="check that the file is there, may be read, and is a table",
            ) from error

    def _pieces(self, file: IO[bytes]) -> Iterator[tuple[Place, bytes]]:
        offset, line = self._skip(file)
        data = file.read(sizes.WHOLE_BYTES + 1)
        header = self.header
        if len(data) > sizes.WHOLE_BYTES:
            file.seek(offset)
            data = file.read(sizes.BLOCK_BYTES)
            while (end := self._end(file, data, line)) is not None:
                data, length = end
                piece = data[:length]
                yield Place(offset, length, line, header), piece
                offset, line, header = offset + length, line + piece.count(b"\n"), 0
                data = data[length:] + file.read(max(0, sizes.BLOCK_BYTES - len(data) + length))
        yield Place(offset, len(data), line, header), _with_newlines(data)

    def _skip(self, file: IO[bytes]) -> tuple[int, int]:
        """Passes over the byte order mark and the lines before the first record; offset and line."""
        start = file.read(3)
        if start[:2] in _UTF16:
            raise DataError(
                "the table is written in UTF-16",
                where=str(self.path),
                fix="give the table source encoding: utf-16, or save the file as UTF-8",
            )
        file.seek(3 if start == _BOM else 0)
        for _ in range(self.skip_lines):
            file.readline(LARGEST_RECORD)
        return file.tell(), self.skip_lines + 1

    def _end(self, file: IO[bytes], data: bytes, line: int) -> tuple[bytes, int] | None:
        """The data, read on until a record ends in them, and where the last one ends; None at the end."""
        while len(data) >= sizes.BLOCK_BYTES:
            length = last_record_end(data, self.delimiter)
            if length:
                return data, length
            if len(data) > LARGEST_RECORD:
                raise DataError(
                    f"a record of more than {LARGEST_RECORD >> 20} MiB",
                    where=f"{self.path}:{line}",
                    why="no record ends there",
                    fix='look for a quote (") that is never closed',
                )
            more = file.read(len(data))
            if not more:
                return None
            data += more
        return None


def _with_newlines(data: bytes) -> bytes:
    """Text whose lines all end as on old Macintoshes gets the line breaks of today."""
    return data.replace(b"\r", b"\n") if b"\n" not in data and b"\r" in data else data


def parsed(
    pieces: Iterator[tuple[Place, bytes]], parse: Callable[[Place, bytes], Block | None]
) -> Iterator[Block]:
    """Blocks of pieces, parsed by a few threads ahead of their use, in the order of the file.

    Args:
        pieces: As `TextFile.pieces` gives them.
        parse: Makes a block of one; None where it holds nothing. Called for the first one alone.
    """
    first = next(pieces)
    second = next(pieces, None)
    block = parse(*first)
    if block is not None:
        yield block
    if second is None:
        return
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Block | None]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        waiting.append(pool.submit(parse, *second))
        del first, second
        for piece in pieces:
            waiting.append(pool.submit(parse, *piece))
            while len(waiting) > threads:
                if (block := waiting.popleft().result()) is not None:
                    yield block
        for left in waiting:
            if (block := left.result()) is not None:
                yield block
