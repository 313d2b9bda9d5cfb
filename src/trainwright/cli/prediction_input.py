"""What `predict` is given: paths, folders, tables or a pipe, as items for the predictor."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainwright.errors import DataError

TABLES = (".csv", ".tsv", ".parquet")


def read_items(words: Sequence[str]) -> tuple[list[Any], list[str]]:
    """Items and their names.

    Args:
        words: Files, folders (searched for files, sorted), tables, or one `-` for the pipe.

    Returns:
        A path (str) per file or a mapping per table row, and a name for each.

    Raises:
        DataError: A file is missing, a folder or the pipe is empty, or a table has no rows.
    """
    items: list[Any] = []
    names: list[str] = []
    for word in words:
        found = _pipe() if word == "-" else _path(Path(word))
        for name, item in found:
            names.append(name)
            items.append(item)
    return items, names


def _path(path: Path) -> list[tuple[str, Any]]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        if not files:
            raise DataError("the folder holds no files", where=str(path))
        return [(str(file), str(file)) for file in files]
    if not path.is_file():
        raise DataError("there is no such file", where=str(path), fix="check the path; globs need no quotes")
    if path.suffix.lower() == ".parquet":
        return _named(str(path), _parquet(path), 0)
    if path.suffix.lower() in TABLES:
        return _named(str(path), _rows(path.read_text(encoding="utf-8-sig"), str(path)))
    return [(str(path), str(path))]


def _pipe() -> list[tuple[str, Any]]:
    """A list of paths, one a line; or CSV rows, told by a header whose first line is no file."""
    text = sys.stdin.read()
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError("nothing came through the pipe", where="stdin")
    if Path(lines[0]).exists():
        missing = next((line for line in lines if not Path(line).exists()), None)
        if missing:
            raise DataError("there is no such file", where=missing)
        return [pair for line in lines for pair in _path(Path(line))]
    if len(lines) == 1 and "," not in lines[0]:
        raise DataError("there is no such file", where=lines[0])
    return _named("stdin", _rows(text, "stdin"))


def _rows(text: str, where: str) -> list[dict[str, Any]]:
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    if not rows:
        raise DataError("the table has no rows", where=where)
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise DataError(
                f"the row has not as many fields as the header has ({len(rows[0])})",
                where=f"{where}:{number}",
            )
    return [dict(row) for row in rows]


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    if not rows:
        raise DataError("the table has no rows", where=str(path))
    return rows


def _named(where: str, rows: list[dict[str, Any]], first: int = 2) -> list[tuple[str, Any]]:
    """Rows with `file:line`, the header being line 1; a Parquet file has rows from 0."""
    return [(f"{where}:{number}", row) for number, row in enumerate(rows, start=first)]
