"""Tables: CSV, TSV and Parquet, with plain columns or with paths of images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.csv_reading import CsvTable, read_csv
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES
from trainwright.data.sources.folder import SPLIT_NAMES
from trainwright.data.sources.row_filter import row_mask
from trainwright.data.types import RawFile, Role, Values
from trainwright.errors import DataError
from trainwright.fields import NonNegativeInt

_MOST_CLASSES = 50  # integer columns with more values than this are taken for numbers, not for classes
_DTYPES = {"halffloat": "f2", "float": "f4", "double": "f8"} | {
    f"{sign}int{size}": f"{sign or 'i'}{size // 8}" for sign in ("", "u") for size in (8, 16, 32, 64)
}
_PARQUET = (".parquet", ".pq")


class TableSource(BaseSource):
    """Rows of a CSV, TSV or Parquet file; each column is one column of the source.

    Lines with too few or too many fields are faults: the recipe's `on_bad` stops at them or leaves them
    out. A text column whose values look like image files gives images; their paths are relative to
    `image_root`.

    Args:
        path: The file; `.parquet`, `.tsv` and everything else as CSV.
        delimiter: Between fields; a tab for `.tsv`, else a comma, when absent.
        header: Whether the first line names the columns.
        skip_lines: Lines before the header or the first row that are passed over.
        names: Names of the columns, in place of the header's or where there is none.
        row_filter: Rows to keep, such as `year >= 2010 and species != 'setosa'`.
        missing_values: Texts that mean a missing value.
        image_columns: Columns with paths of images; found by their values when absent.
        image_root: Folder that the paths are relative to; the table's own when absent.
        split_column: Column that names each row's split: train, val or test.
    """

    def __init__(
        self,
        *,
        path: str,
        delimiter: str | None = None,
        header: bool = True,
        skip_lines: NonNegativeInt = 0,
        names: list[str] | None = None,
        row_filter: str | None = None,
        missing_values: list[str] = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null"],  # noqa: B006
        image_columns: list[str] | None = None,
        image_root: str | None = None,
        split_column: str | None = None,
    ) -> None:
        self._path = existing(path, "data.source.path")
        self._csv: CsvTable | None = None
        if self._path.suffix.lower() in _PARQUET:
            table = _read_parquet(self._path)
        else:
            separator = delimiter or ("\t" if self._path.suffix.lower() in (".tsv", ".tab") else ",")
            self._csv = read_csv(self._path, separator, header, skip_lines, names, missing_values)
            table = self._csv.table
            self.faults = [(f"{self._path}:{line}", reason) for line, reason in self._csv.faults]
        self._places: np.ndarray | None = None
        if row_filter is not None:
            whole = table
            mask = row_mask(
                row_filter, table.column_names, lambda name: to_numpy(whole.column(name)), len(table)
            )
            self._places = np.flatnonzero(mask)
            self.notices = [f"row_filter keeps {len(self._places)} of {len(table)} rows"]
            table = table.take(_arrow_indices(self._places))
        if not len(table):
            raise DataError("the table has no rows", where=str(self._path), why=" ".join(self.notices))
        self._table = table
        self._image_root = existing(image_root, "data.source.image_root") if image_root else self._path.parent
        self._split_column = split_column
        self.columns = {name: self._role(name, image_columns) for name in table.column_names}
        self.slow_columns = [name for name, role in self.columns.items() if role == "image"]
        for name in [*(image_columns or []), *([split_column] if split_column else [])]:
            self.require(name)

    def __len__(self) -> int:
        return len(self._table)

    def column(self, name: str) -> Values:
        """Values of one column: a NumPy array of numbers or objects, or `RawFile`s."""
        values = self._table.column(self.require(name))
        if self.columns[name] != "image":
            return to_numpy(values)
        paths = values.to_pylist()
        root = self._image_root
        return LazySequence(
            len(paths), lambda row: None if paths[row] is None else RawFile(str(root / paths[row]))
        )

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows by the split column, None without one."""
        if self._split_column is None:
            return None
        words = self._table.column(self._split_column).to_pylist()
        found: dict[str, list[int]] = {"train": [], "val": [], "test": []}
        for row, word in enumerate(words):
            split = SPLIT_NAMES.get(str(word).strip().lower())
            if split is None:
                raise DataError(
                    f"{word!r} names no split",
                    where=f"{self.sample_names()[row]}, column {self._split_column}",
                    fix="write train, val or test",
                )
            found[split].append(row)
        return {name: np.array(rows, dtype=np.int64) for name, rows in found.items() if rows}

    def sample_names(self) -> Sequence[str]:
        """`table.csv:17`, the number of the line; `table.parquet:17`, that of the row from 0."""
        name = self._path.name
        return LazySequence(len(self), lambda row: f"{name}:{self._line(row)}")

    def files(self) -> list[Path]:
        """The table, and the images that it names and that exist."""
        found = [self._path]
        for name, role in self.columns.items():
            if role == "image":
                paths = pc.unique(self._table.column(name)).drop_null().to_pylist()
                found += [path for text in paths if (path := self._image_root / text).is_file()]
        return found

    def _line(self, row: int) -> int:
        place = row if self._places is None else int(self._places[row])
        return place if self._csv is None else int(self._csv.lines[place])

    def _role(self, name: str, image_columns: list[str] | None) -> Role:
        values = self._table.column(name)
        if image_columns is not None and name in image_columns:
            return "image"
        if pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
            return "number"
        if pa.types.is_integer(values.type):
            return "category" if pc.count_distinct(values).as_py() <= _MOST_CLASSES else "number"
        return "image" if image_columns is None and _names_images(values) else "category"

    @cached_property
    def table(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self._table


def _arrow_indices(places: np.ndarray) -> pa.Array:
    """int64 indices as an Arrow array over the same memory."""
    indices = np.ascontiguousarray(places, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(indices), [None, pa.py_buffer(indices)])


def _read_parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"the Parquet file cannot be read: {error}", where=str(path)) from error


def _names_images(values: pa.ChunkedArray) -> bool:
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return False
    shown = [text for text in values.slice(0, 20).to_pylist() if text]
    return bool(shown) and all(Path(text).suffix.lower() in IMAGE_SUFFIXES for text in shown)


def to_numpy(values: pa.ChunkedArray) -> np.ndarray:
    """Numbers in their own dtype, with gaps as float64 with NaN; everything else as objects.

    Arrow's own conversion, and its comparison with a Python value, would import pandas: a second.
    """
    kind = values.type
    if (pa.types.is_integer(kind) and values.null_count) or pa.types.is_decimal(kind):
        values, kind = values.cast(pa.float64()), pa.float64()
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return np.array(values.to_pylist(), dtype=object)
    array = values.combine_chunks()
    place = slice(array.offset, array.offset + len(array))
    present, data = array.buffers()
    numbers = np.frombuffer(data, dtype=_DTYPES[str(kind)])[place]
    if not array.null_count:
        return numbers
    valid = np.unpackbits(np.frombuffer(present, dtype=np.uint8), bitorder="little")[place].astype(bool)
    return np.where(valid, numbers, np.nan)
