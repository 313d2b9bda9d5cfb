"""Delimited text through pyarrow, with the number of every record that is no row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from trainwright.data.tables.block import Block, Place
from trainwright.data.tables.records import record_lines, unclosed_quote
from trainwright.data.tables.text_blocks import TextFile, parsed
from trainwright.data.tables.text_encoding import not_text
from trainwright.errors import DataError
from trainwright.wording import counted


class CsvReader:
    """Reads CSV and TSV files; lines with too few or too many fields are faults.

    Args:
        path: The file.
        delimiter: Between fields.
        header: Whether the first record names the columns.
        skip_lines: Lines before that which are passed over.
        names: Names of the columns, in place of the header's or where there is none.
        missing_values: Texts that mean a missing value.
        encoding: Of the text.
        decimal: Before the fraction of a number: a point or a comma.
    """

    def __init__(
        self,
        path: Path,
        delimiter: str,
        header: bool,
        skip_lines: int,
        names: list[str] | None,
        missing_values: list[str],
        encoding: str,
        decimal: str,
    ) -> None:
        if len(delimiter) != 1 or not delimiter.isascii():
            raise DataError(
                f"{delimiter!r} is no single character",
                where="data.source.delimiter",
                fix="give one character, such as a comma, a semicolon or a tab",
            )
        if delimiter == decimal:
            raise DataError(
                f"{decimal!r} is both the delimiter and before the fraction of a number",
                where="data.source.decimal",
                fix="such tables have a semicolon between fields: delimiter: ';'",
            )
        self._file = TextFile(path, delimiter, skip_lines, header=int(header), encoding=encoding)
        self._given, self._decimal = names, decimal
        self._missing = missing_values
        self._names: list[str] | None = None

    def blocks(self) -> Iterator[Block]:
        """Blocks in their order; only one where the table is small.

        Raises:
            DataError: The file has no columns, a doubled column name, or is no text.
        """
        yield from parsed(self._file.pieces(), self._parse)

    def as_text(self, place: Place, names: Sequence[str]) -> pa.Table:
        """Some columns of a block as they are written."""
        return self._read(place, self._file.read(place), [], names)

    def lines(self, place: Place) -> npt.NDArray[np.int64]:
        """Number of the line on which each record begins."""
        return record_lines(self._file.read(place), place.first_line, self._file.delimiter)

    def _parse(self, place: Place, data: bytes) -> Block | None:
        if self._names is not None and not data.strip():
            return None
        self._refuse_unclosed(place, data)
        faults: list[tuple[int, str]] = []
        table = self._read(place, data, faults)
        if self._names is None:
            try:
                self._names = table.column_names
            except UnicodeDecodeError:
                raise self._no_text(place, data) from None
            doubled = {name for name in self._names if self._names.count(name) > 1}
            if doubled:
                raise self._error(f"column {', '.join(sorted(doubled))} is there twice")
        for name in table.column_names:
            if pa.types.is_binary(table.schema.field(name).type):
                raise self._no_text(place, data)
        return Block(place, table, faults)

    def _read(
        self, place: Place, data: bytes, faults: list[tuple[int, str]], as_text: Sequence[str] = ()
    ) -> pa.Table:
        """The rows of a piece; what is no row is added to `faults`."""

        def note(row: arrow_csv.InvalidRow) -> str:
            faults.append(
                (row.number - 1, f"{row.actual_columns} fields where {row.expected_columns} are expected")
            )
            return "skip"

        read = arrow_csv.ReadOptions(
            use_threads=False,  # only a single thread numbers the records
            block_size=len(data) + 1,
            column_names=self._names or self._given,
            # A header that is replaced by other names is one more record to pass over.
            skip_rows=place.header if self._names or self._given else 0,
            autogenerate_column_names=not (place.header or self._names or self._given),
        )
        parse = arrow_csv.ParseOptions(
            delimiter=self._file.delimiter, invalid_row_handler=note, newlines_in_values=b'"' in data
        )
        convert = arrow_csv.ConvertOptions(
            null_values=self._missing,
            decimal_point=self._decimal,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            include_columns=list(as_text) or None,
            column_types=dict.fromkeys(as_text, pa.string()),
        )
        if not (data.isascii() or _is_text(data)):
            raise self._no_text(place, data)  # the parser could not even say which of its lines are bad
        try:
            return arrow_csv.read_csv(pa.BufferReader(data), read, parse, convert)
        except pa.ArrowInvalid as error:
            raise self._error(
                f"the table cannot be read: {error}",
                fix="check delimiter, header and skip_lines of the table source",
            ) from error

    def _refuse_unclosed(self, place: Place, data: bytes) -> None:
        """The parser takes all that follows such a quote for one value: rows would be lost without a word."""
        before = unclosed_quote(data, self._file.delimiter)
        if before is None:
            return
        line, lost = place.first_line + before, data.rstrip().count(b"\n") - before
        raise DataError(
            f"line {line}: a quote is opened here and never closed",
            where=str(self._file.path),
            why=f"{counted(lost, 'line')} after it would be read as part of this value",
            fix="close it, or double a quote that is a letter of a quoted value",
        )

    def _no_text(self, place: Place, data: bytes) -> DataError:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return not_text(data, error, "utf-8", str(self._file.path), place.first_line)
        return self._error("a column holds no text")

    def _error(self, what: str, fix: str = "") -> DataError:
        return DataError(what, where=str(self._file.path), fix=fix)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
