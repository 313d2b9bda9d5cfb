"""Rows of tables and arrays, as mappings from column to raw value, each with its place."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainwright.data.tables.text_encoding import decoded
from trainwright.errors import DataError
from trainwright.inference.expected import Expected

Named = list[tuple[str, Any]]
DELIMITERS = ",;\t|"
TEXTS = (".csv", ".tsv", ".tab")
JSON = (".json", ".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
ARRAYS = (".npz", ".npy")
SUFFIXES = (*TEXTS, *JSON, *PARQUET, *ARRAYS)


def rows_of_file(path: Path, expected: Expected) -> Named:
    """Rows of a table or of arrays, by the file's suffix; texts that name files may be beside the table.

    Raises:
        DataError: It cannot be read as what its suffix says, or has no rows.
    """
    suffix = path.suffix.lower()
    if suffix in ARRAYS or path.is_dir():
        return array_rows(path, expected)
    if suffix in PARQUET:
        found = _parquet(path)
    else:
        text = decoded(_bytes(path), expected.table.encoding, str(path))
        found = json_rows(text, str(path)) if suffix in JSON else csv_rows(text, str(path), expected)
    return [(name, _beside(row, path.parent, expected)) for name, row in found]


def csv_rows(text: str, where: str, expected: Expected) -> Named:
    """Rows of delimited text, named by their line; the delimiter is told from the first line."""
    first = text.partition("\n")[0]
    delimiter = expected.table.delimiter
    if delimiter is None or delimiter not in first:
        delimiter = max(DELIMITERS, key=first.count)
    found: Named = []
    names: list[str] = []
    try:
        for line, fields in _records(text, delimiter):
            if not names:
                given = expected.table.names
                names = list(given) if given and fields != list(given) else fields
                if names is fields:
                    _refuse_doubled(names, where)
                    continue
            if len(fields) != len(names):
                raise DataError(
                    f"the row has not as many fields as the header has ({len(fields)} and {len(names)})",
                    where=f"{where}:{line}",
                )
            values = (None if field in expected.table.missing else field for field in fields)
            found.append((f"{where}:{line}", dict(zip(names, values, strict=True))))
    except csv.Error as error:
        raise DataError(f"the table cannot be read: {error}", where=where) from error
    if not found:
        raise DataError("the table has no rows", where=where)
    if expected.table.decimal == ",":
        numbers = expected.of_types("number")
        for _, row in found:
            row.update({name: row[name].replace(",", ".") for name in numbers & set(row) if row[name]})
    return found


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records that are not empty, each with the number of the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    for fields in reader:
        if fields:
            yield line, fields
        line = reader.line_num + 1


def _refuse_doubled(names: list[str], where: str) -> None:
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise DataError(f"column {doubled!r} is there twice", where=where)


def json_rows(text: str, where: str) -> Named:
    """Rows of a JSON list of objects, or of one object a line."""
    try:
        if text.lstrip().startswith("["):
            items = [(f"{where}:{number}", item) for number, item in enumerate(json.loads(text))]
        else:
            lines = enumerate(text.splitlines(), start=1)
            items = [(f"{where}:{line}", json.loads(item)) for line, item in lines if item.strip()]
    except (ValueError, RecursionError) as error:
        raise DataError(f"it is no JSON: {error}", where=where) from error
    for name, item in items:
        if not isinstance(item, dict):
            raise DataError(f"a JSON {type(item).__name__} where an object is expected", where=name)
    if not items:
        raise DataError("there are no rows", where=where)
    return items


def array_rows(path: Path, expected: Expected) -> Named:
    """Rows of an `.npz` file or a folder of `.npy` files by the arrays' names, or of a single array."""
    from trainwright.data.sources.arrays import ArraysSource

    source = ArraysSource(path=str(path))
    columns = {name: source.column(name) for name in source.columns}
    if len(columns) == 1 and len(expected.types) == 1:
        # A single array can only be meant for the single input, whatever its file is called.
        [array] = columns.values()
        shape = tuple(getattr(array, "shape", ()))
        if expected.bands is not None and len(shape) == 3 and expected.bands in (shape[0], shape[-1]):
            return [(str(path), array)]  # one picture, not a row of each of its lines
        columns = dict(zip(expected.types, columns.values(), strict=True))
    return [
        (f"{path}:{row}", {name: values[row] for name, values in columns.items()})
        for row in range(len(source))
    ]


def _parquet(path: Path) -> Named:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.ParquetFile(path).read().to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"the Parquet file cannot be read: {error}", where=str(path)) from error
    if not rows:
        raise DataError("the table has no rows", where=str(path))
    return [(f"{path}:{number}", row) for number, row in enumerate(rows)]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=str(path)) from error


def _beside(row: dict[str, Any], folder: Path, expected: Expected) -> dict[str, Any]:
    """The row, with names of files that lie beside the table and not where the user is."""
    for name in expected.file_columns & set(row):
        text = row[name]
        if isinstance(text, str) and not Path(text).exists() and (folder / text).exists():
            row[name] = str(folder / text)
    return row
