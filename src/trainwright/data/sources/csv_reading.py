"""CSV through pyarrow, with the line number of every row and of every line that is no row."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from trainwright.errors import DataError


@dataclass
class CsvTable:
    """A parsed file.

    Attributes:
        path: The file.
        table: Its rows.
        delimiter: Between fields.
        skip_lines: Lines that were passed over.
        has_header: Whether the first record after those names the columns.
        fault_rows: Number of each faulty record among the records after `skip_lines`, from 1, and what
            is wrong with it.
    """

    path: Path
    table: pa.Table
    delimiter: str
    skip_lines: int
    has_header: bool
    fault_rows: list[tuple[int, str]]

    @cached_property
    def lines(self) -> np.ndarray:
        """Number of the line on which each row begins, from 1, int64 `[N]`."""
        rows = self._records[1:] if self.has_header else self._records
        bad = {number for number, _ in self.fault_rows}
        offset = 2 if self.has_header else 1
        return np.array(
            [line for number, line in enumerate(rows, start=offset) if number not in bad], dtype=np.int64
        )

    @property
    def faults(self) -> list[tuple[int, str]]:
        """Line number and reason of every faulty line."""
        return [(int(self._records[number - 1]), reason) for number, reason in self.fault_rows]

    @cached_property
    def _records(self) -> np.ndarray:
        """First line of every record that is not empty, after `skip_lines`."""
        data = self.path.read_bytes()
        if b'"' in data:
            return self._quoted_records()
        buffer = np.frombuffer(data, dtype=np.uint8)
        ends = np.append(np.flatnonzero(buffer == ord("\n")), len(buffer))
        starts = np.concatenate(([0], ends[:-1] + 1))
        returns = np.zeros(len(ends), dtype=bool)
        returns[ends > 0] = buffer[ends[ends > 0] - 1] == ord("\r")
        full = (ends - starts - returns) > 0
        full[: self.skip_lines] = False
        return np.flatnonzero(full) + 1

    def _quoted_records(self) -> np.ndarray:
        """As `_records`, for files in which a quoted field may hold a line break."""
        found = []
        with self.path.open(newline="", encoding="utf-8", errors="replace") as file:
            for _ in range(self.skip_lines):
                file.readline()
            reader = csv.reader(file, delimiter=self.delimiter)
            start = self.skip_lines + 1
            for record in reader:
                if record:
                    found.append(start)
                start = self.skip_lines + reader.line_num + 1
        return np.array(found, dtype=np.int64)


def read_csv(
    path: Path,
    delimiter: str,
    header: bool,
    skip_lines: int,
    names: list[str] | None,
    missing_values: list[str],
) -> CsvTable:
    """Reads a whole file; the parameters are those of `TableSource`.

    Raises:
        DataError: It has no columns, a doubled column name, or no text that can be read.
    """
    fault_rows: list[tuple[int, str]] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        fault_rows.append(
            (row.number, f"{row.actual_columns} fields where {row.expected_columns} are expected")
        )
        return "skip"

    # A header that is replaced by other names is one more line to pass over.
    skipped = skip_lines + (1 if header and names is not None else 0)
    read = arrow_csv.ReadOptions(
        use_threads=False,  # only a single thread numbers the rows, which is what names a faulty line
        skip_rows=skipped,
        column_names=names,
        autogenerate_column_names=not header and names is None,
    )
    parse = arrow_csv.ParseOptions(
        delimiter=delimiter, invalid_row_handler=note, newlines_in_values=_has_quotes(path)
    )
    convert = arrow_csv.ConvertOptions(
        null_values=missing_values, strings_can_be_null=True, quoted_strings_can_be_null=True
    )
    try:
        table = arrow_csv.read_csv(path, read, parse, convert)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"the table cannot be read: {error}",
            where=str(path),
            fix="check delimiter, header and skip_lines of the table source",
        ) from error
    doubled = {name for name in table.column_names if table.column_names.count(name) > 1}
    if doubled:
        raise DataError(f"column {', '.join(sorted(doubled))} is there twice", where=str(path))
    # Arrow counts the skipped lines, too.
    faults = [(number - skipped, reason) for number, reason in fault_rows]
    return CsvTable(path, table, delimiter, skipped, header and names is None, faults)


def _has_quotes(path: Path) -> bool:
    with path.open("rb") as file:
        return any(b'"' in block for block in iter(lambda: file.read(1 << 20), b""))
