"""Tables: CSV, TSV, JSON lines and Parquet, with plain columns or with paths of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.compute as pc

from trainwright.data.processors.category import factorise
from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.file_tree import PICTURE_SUFFIXES
from trainwright.data.sources.folder import SPLIT_NAMES
from trainwright.data.tables.block import TableReader, kind_of
from trainwright.data.tables.csv_reader import CsvReader
from trainwright.data.tables.jsonl_reader import JsonLinesReader
from trainwright.data.tables.opening import open_table
from trainwright.data.tables.parquet_reader import ParquetReader
from trainwright.data.tables.table import Table
from trainwright.data.tables.table_cache import file_key
from trainwright.data.tables.text_encoding import codec_name
from trainwright.data.tables.text_form import DELIMITERS, default_delimiter
from trainwright.data.types import RawFile, Role, Values
from trainwright.errors import DataError
from trainwright.fields import NonNegativeInt
from trainwright.locations import cache_dir

_MOST_CLASSES = 50  # integer columns with more values than this are taken for numbers, not for classes
_PARQUET = (".parquet", ".pq")
_JSON_LINES = (".jsonl", ".ndjson")
_LOOKED_AT = 20  # texts whose suffix is looked at


class TableSource(BaseSource):
    """Rows of a CSV, TSV, JSON lines or Parquet file; each column is one column of the source.

    Lines with too few or too many fields, or that are no JSON object, are faults: the recipe's `on_bad`
    stops at them or leaves them out. A text column whose values look like image files gives images;
    their paths are relative to `image_root`. A column that holds numbers and texts is one of texts.

    A table of more than 64 MiB is parsed once, in pieces of 8 MiB, into blocks in the cache folder; it
    takes no memory but for the block that is read.

    Args:
        path: The file; `.parquet`, `.jsonl`, `.tsv` and everything else as CSV, also with `.gz` behind.
        delimiter: Between fields; a tab for `.tsv`, else a comma, when absent.
        header: Whether the first line names the columns.
        skip_lines: Lines before the header or the first row that are passed over.
        names: Names of the columns, in place of the header's or where there is none.
        row_filter: Rows to keep, such as `year >= 2010 and species != 'setosa'`.
        missing_values: Texts that mean a missing value.
        image_columns: Columns with paths of images; found by their values when absent.
        image_root: Folder that the paths are relative to; the table's own when absent.
        split_column: Column that names each row's split: train, val or test.
        encoding: Of the text: latin1, cp1252, utf-16 ...; a byte order mark is passed over.
        decimal: What stands before the fraction of a number in a CSV file.
        beside: Further tables with the same rows in the same order, relative to the first one's folder,
            whose columns are added; written as the first one is.
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
        encoding: str = "utf-8",
        decimal: Literal[".", ","] = ".",
        beside: list[str] = [],  # noqa: B006 - plain data of a recipe, never changed
    ) -> None:
        self._path = existing(path, "data.source.path")
        encoding = codec_name(encoding, "data.source.encoding")
        self._table = _opened(
            self._path, row_filter, delimiter, header, skip_lines, names, missing_values, encoding, decimal
        )
        if row_filter is not None:
            self.notices = [f"row_filter keeps {len(self._table)} of {self._table.read} rows"]
        self._refuse_no_rows(row_filter)
        self._refuse_one_column(delimiter)
        if header and names is None and any(map(_is_number, self._table.kinds)):
            self.advice = "the first line looks like a row: set header: false and names: [...] of the source"
        self.faults = [
            (f"{self._path}:{self._table.record_line(block, record)}", reason)
            for block, record, reason in self._table.faults
        ]
        self._beside = [existing(str(self._path.parent / name), "data.source.beside") for name in beside]
        others = [
            _opened(path, None, delimiter, header, skip_lines, None, missing_values, encoding, decimal)
            for path in self._beside
        ]
        self._table_of = dict.fromkeys(self._table.kinds, self._table)
        for place, other in zip(self._beside, others, strict=True):
            self._add(place, other, row_filter)
        self._image_root = existing(image_root, "data.source.image_root") if image_root else self._path.parent
        self._split_column = split_column
        self.columns = {name: self._role(name, image_columns) for name in self._table_of}
        self.slow_columns = [name for name, role in self.columns.items() if role == "image"]
        for name in [*(image_columns or []), *([split_column] if split_column else [])]:
            self.require(name)

    def __len__(self) -> int:
        return len(self._table)

    def column(self, name: str) -> Values:
        """Values of one column: an array or blocks of numbers or objects, or `RawFile`s."""
        values = self._table_of[self.require(name)].column(name)
        if self.columns[name] != "image":
            return values
        root = self._image_root
        return LazySequence(
            len(values), lambda row: None if (text := values[row]) is None else RawFile(str(root / text))
        )

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows by the split column, None without one."""
        if self._split_column is None:
            return None
        words, places = factorise(self._table_of[self._split_column].column(self._split_column))
        meant = [SPLIT_NAMES.get(str(word).lower()) for word in words]
        if None in meant:
            wrong = meant.index(None)
            raise DataError(
                f"{words[wrong]!r} names no split",
                where=f"{self.sample_names()[int((places == wrong).argmax())]}, column {self._split_column}",
                fix="write train, val or test",
            )
        order = {name: number for number, name in enumerate(("train", "val", "test"))}
        splits = np.array([order[str(name)] for name in meant], dtype=np.int8)[places]
        found = {name: np.flatnonzero(splits == number) for name, number in order.items()}
        return {name: rows for name, rows in found.items() if len(rows)}

    def sample_names(self) -> Sequence[str]:
        """`table.csv:17`, the number of the line; `table.parquet:17`, that of the row from 0."""
        name = self._path.name
        return LazySequence(len(self), lambda row: f"{name}:{self._table.line(row)}")

    def files(self) -> list[Path]:
        """The table and those beside it, and the images that they name and that exist."""
        found = [self._path, *self._beside]
        for name, role in self.columns.items():
            if role == "image":
                texts, _ = factorise(self._table_of[name].column(name))
                found += [path for text in texts if text and (path := self._image_root / text).is_file()]
        return found

    def _add(self, path: Path, other: Table, row_filter: str | None) -> None:
        """Takes the columns of a table beside the first one. Raises where its rows are not the same."""
        doubled = sorted(set(self._table_of) & set(other.kinds))
        problem = (
            "lines that are no rows leave the rows of the tables unmatched"
            if self._table.faults or other.faults
            else "row_filter would leave the rows of the tables unmatched"
            if row_filter is not None
            else f"it has {len(other)} rows, {self._path.name} has {len(self._table)}"
            if len(other) != len(self._table)
            else f"columns occur in two tables: {', '.join(doubled[:5])}"
            if doubled
            else ""
        )
        if problem:
            faults = [*self._table.faults, *other.faults]
            why = faults[0][2] if faults else "rows belong together by their place"
            raise DataError(
                problem,
                where=f"{path} (data.source.beside)",
                why=why,
                fix="give tables of the same rows in the same order, with columns of different names",
            )
        self._table_of |= dict.fromkeys(other.kinds, other)

    def _refuse_no_rows(self, row_filter: str | None) -> None:
        if len(self._table):
            return
        if row_filter is not None and self._table.read:
            raise DataError(
                f"the filter `{row_filter}` keeps none of {self._table.read} rows",
                where="data.source.row_filter",
                why=f"{self._path.name} has no row for which it is true",
                fix="change the filter, or remove it",
            )
        raise DataError(
            "the table has no rows",
            where=str(self._path),
            fix="write the rows into the table, or check header and skip_lines of the source",
        )

    def _refuse_one_column(self, delimiter: str | None) -> None:
        """A single column whose name holds what stands between fields elsewhere was not meant so."""
        names = list(self._table.kinds)
        if delimiter is not None or len(names) != 1:
            return
        name = names[0]
        meant = next((sign for sign in DELIMITERS if sign in name), None)
        if meant is not None:
            raise DataError(
                f"one column only, {name[:80]!r}: is the delimiter {meant!r}?",
                where=str(self._path),
                fix=f"data.source.delimiter: {meant!r}",
            )

    def _role(self, name: str, image_columns: list[str] | None) -> Role:
        if image_columns is not None and name in image_columns:
            return "image"
        kind = self._table_of[name].kinds[name]
        if kind in ("halffloat", "float", "double") or kind.startswith("decimal"):
            return "number"
        if "int" in kind and "list" not in kind:
            return "category" if self._is_repetitive(name) else "number"
        if kind.startswith("list"):
            return "categories" if "string" in kind else "number"
        return "image" if image_columns is None and self._names_images(name) else "category"

    def _is_repetitive(self, name: str) -> bool:
        """Whether a column of whole numbers has few enough values to name classes."""
        found: set[int] = set()
        table = self._table_of[name]
        for number in range(len(table.sizes)):
            found.update(pc.unique(table.part(number, name)).drop_null().to_pylist())
            if len(found) > _MOST_CLASSES:
                return False
        return True

    def _names_images(self, name: str) -> bool:
        table = self._table_of[name]
        if table.kinds[name] not in ("string", "large_string"):
            return False
        shown = [text for text in table.part(0, name).slice(0, _LOOKED_AT).to_pylist() if text]
        return bool(shown) and all(Path(str(text)).suffix.lower() in PICTURE_SUFFIXES for text in shown)


def _opened(path: Path, row_filter: str | None, *options: Any) -> Table:
    key = {**file_key(path), "options": options, "row_filter": row_filter}
    return open_table(_reader(path, *options), row_filter, key, cache_dir() / "tables")


def _reader(
    path: Path,
    delimiter: str | None,
    header: bool,
    skip_lines: int,
    names: list[str] | None,
    missing_values: list[str],
    encoding: str,
    decimal: str,
) -> TableReader:
    kind = kind_of(path)
    if kind in _PARQUET:
        return ParquetReader(path)
    if kind in _JSON_LINES:
        return JsonLinesReader(path, missing_values, encoding)
    separator = delimiter or default_delimiter(path)
    return CsvReader(path, separator, header, skip_lines, names, missing_values, encoding, decimal)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
