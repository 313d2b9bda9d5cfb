"""Tables: one column is taken for the target, what is fit for it for inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.sniffing.guess import Guess, split_for
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sniffing.values import (
    are_dates,
    counts_rows,
    distinct,
    gaps,
    named_target,
    refuse_constant,
    target_type,
)
from trainwright.data.tables.block import kind_of
from trainwright.data.tables.text_form import default_delimiter, form_of_file
from trainwright.data.types import Source, Values
from trainwright.errors import DataError
from trainwright.wording import counted, with_count

TABLES = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq")
_TEXTS = (".csv", ".tsv", ".tab", ".txt")
_MOST_CATEGORIES = 50  # texts with more values than this are no input
_FEW_CATEGORIES = 10  # as many may be a class each, however few the rows


def detect(path: Path, encoding: str = "utf-8") -> Guess | None:
    """A table, or a folder whose data are one table. Raises `DataError` where a folder has several."""
    if not path.is_dir():
        return _table(path, encoding) if path.suffix.lower() in TABLES else None
    tables = sorted(
        item for item in path.iterdir() if item.suffix.lower() in TABLES and item.suffix != ".txt"
    )
    if not tables or has_class_folders(path):
        return None
    if len(tables) > 1:
        raise DataError(
            f"there are {len(tables)} tables: {', '.join(item.name for item in tables[:5])}",
            where=str(path),
            fix=f"name one of them: trainwright init {tables[0]}",
        )
    return _table(tables[0], encoding)


def has_class_folders(path: Path) -> bool:
    """Whether there are at least two folders in it."""
    return sum(item.is_dir() and not item.name.startswith(".") for item in path.iterdir()) > 1


def _table(path: Path, encoding: str) -> Guess:
    from trainwright.data.sources.table import TableSource  # pyarrow takes a tenth of a second

    form, notes = written(path, encoding)
    source = TableSource(path=str(path), **form)
    columns = {name: source.column(name) for name in source.columns}
    target = table_target(source, columns, path)
    refuse_constant(columns[target], target, path)
    notes.insert(0, f"{counted(len(source), 'row')}; column {target!r} is taken for the target")
    spec: dict[str, Any] = {"name": "table", "path": str(path), **form}
    size = len(source)
    missing = gaps(columns[target])
    if missing:
        spec["row_filter"] = f"col({target!r}) is not None"
        size -= missing
        notes.append(with_count(missing, "rows without a target are filtered out"))
    inputs = table_inputs(source, {name: columns[name] for name in columns if name != target}, notes)
    if not inputs:
        raise DataError(
            "no column is fit for an input",
            where=str(path),
            why="; ".join(notes),
            fix="write the recipe by hand",
        )
    kind = target_type(columns[target])
    name = target if target.isidentifier() else "target"
    targets = {name: {"type": kind} | ({} if name == target else {"column": target})}
    return Guess(spec, inputs, targets, split_for(size), size, notes)


def written(path: Path, encoding: str = "utf-8") -> tuple[dict[str, Any], list[str]]:
    """Parameters of the table source for text that is written in another way than usual, and the reasons."""
    if kind_of(path) not in _TEXTS:
        return {}, []
    found = form_of_file(path, encoding)
    form: dict[str, Any] = {}
    notes = []
    if encoding != "utf-8":
        form["encoding"] = encoding
    if found.delimiter != default_delimiter(path):
        form["delimiter"] = found.delimiter
        notes.append(f"the delimiter is {found.delimiter!r}")
    if found.decimal != ".":
        form["decimal"] = found.decimal
        notes.append("numbers have a decimal comma")
    if not found.header:
        form |= {"header": False, "names": [f"column_{place + 1}" for place in range(found.width)]}
        notes.append("the first line holds values, not names; columns are named column_1, column_2 ...")
    return form, notes


def table_target(source: Source, columns: dict[str, Values], path: Path) -> str:
    """The column named like a target, else the last one that is neither an image nor a name of the row."""
    named = named_target(list(columns))
    if named:
        return named
    for name in reversed(columns):
        many = source.columns[name] == "category" and distinct(columns[name]) > max(_MOST_CATEGORIES, 2)
        if source.columns[name] != "image" and not many and not are_dates(columns[name]):
            return name
    raise DataError("no column is fit for a target", where=str(path), fix="write the recipe by hand")


def table_inputs(source: Source, columns: dict[str, Values], notes: list[str]) -> dict[str, dict[str, Any]]:
    """Input columns of a recipe, by what the values look like.

    Args:
        source: The table.
        columns: Raw values by column, without those of the target.
        notes: Takes in words what is left out, and why.
    """
    inputs: dict[str, dict[str, Any]] = {}
    numbers, with_gaps = [], False
    for name, values in columns.items():
        role, many = source.columns[name], distinct(values)
        if role == "image":
            inputs[column_key(name, inputs)] = image_column(values)[0] | column_of(name)
        elif many < 2:
            notes.append(f"column {name!r} is left out: it has one value only")
        elif np.asarray(values).dtype.kind in "iuf":
            if counts_rows(np.asarray(values)):
                notes.append(f"column {name!r} is left out: it counts the rows")
                continue
            numbers.append(name)
            with_gaps = with_gaps or gaps(values) > 0
        elif are_dates(values):
            notes.append(f"column {name!r} is left out: dates are not used")
        elif many > _most_categories(len(values)):
            notes.append(f"column {name!r} is left out: {many} different texts")
        elif gaps(values):
            notes.append(f"column {name!r} is left out: {gaps(values)} rows lack it")
        else:
            inputs[column_key(name, inputs)] = {"type": "category"} | column_of(name)
    if numbers:
        column: dict[str, Any] = {"type": "number", "columns": numbers}
        if with_gaps:
            column["missing"] = "mean"
            notes.append("gaps in number columns are filled with the training mean")
        inputs = {column_key("features", inputs): column, **inputs}
    return inputs


def _most_categories(rows: int) -> int:
    """Above this many different texts they are names or sentences: held-out rows would have unknown ones."""
    return min(_MOST_CATEGORIES, max(_FEW_CATEGORIES, rows // 2))


def column_key(name: str, taken: dict[str, Any]) -> str:
    """A recipe key for a column: its name where that can be written in a key path."""
    if name.isidentifier() and name not in taken:
        return name
    words = "".join(letter if letter.isalnum() else "_" for letter in name).strip("_") or "input"
    return words if words not in taken else f"{words}_{len(taken)}"


def column_of(name: str) -> dict[str, str]:
    """The `column:` of a recipe column whose key had to be another word."""
    return {} if name.isidentifier() else {"column": name}
