"""Tables whose rows follow each other in time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.sniffing.annotated_signal import annotated_signal
from trainwright.data.sniffing.guess import Guess, named_splits, training_rows
from trainwright.errors import DataError

_TABLES = (".csv", ".tsv", ".tab", ".parquet", ".pq")
_TIME = re.compile(r"date|time|month|year", re.IGNORECASE)
_STEPS = re.compile(r"\d{4}-\d\d")  # how the texts of dates begin that sort as they follow each other
_LONGEST = 48
_PARTS = 6  # windows that a series must be longer than
_LOOKED_AT = 1 << 16  # bytes at the beginning, in which a column must be named like a time


def detect(path: Path) -> Guess | None:
    """A table with a column of dates or times in order beside numbers: a forecast of the next step.

    Also a long table of smooth numbers whose labels come in runs: a signal, annotated step by step.
    """
    table = path
    if path.is_dir():
        files = [item for item in path.iterdir() if item.suffix.lower() in _TABLES]
        if len(files) != 1 or any(item.is_dir() for item in path.iterdir()):
            return None
        table = files[0]
    if table.suffix.lower() not in _TABLES:
        return None
    return _guess(table) if _may_have_times(table) else annotated_signal(table)


def _may_have_times(table: Path) -> bool:
    with table.open("rb") as file:
        head = file.read(_LOOKED_AT)
    return table.suffix.lower() in (".parquet", ".pq") or bool(
        _TIME.search(head.split(b"\n")[0].decode("utf-8", "replace"))
    )


def _guess(table: Path) -> Guess | None:
    from trainwright.data.sources.series import SeriesSource
    from trainwright.data.sources.table import TableSource

    rows = TableSource(path=str(table))
    if rows.faults:
        return None
    times = [name for name in rows.columns if _TIME.search(name) and _in_order(rows.column(name))]
    numbers = [
        n for n in rows.columns if np.asarray(rows.column(n)).dtype.kind == "f" or rows.columns[n] == "number"
    ]
    numbers = [name for name in numbers if name not in times]
    others = [name for name in rows.columns if name not in times and name not in numbers]
    if len(times) != 1 or not numbers or others:
        return None
    spec: dict[str, Any] = {
        "name": "series",
        "path": str(table),
        "time": times[0],
        "window": min(_LONGEST, max(2, len(rows) // _PARTS)),
        "horizon": 1,
        "val": 0.15,
        "test": 0.15,
    }
    try:
        source = SeriesSource(**{name: value for name, value in spec.items() if name != "name"})
    except DataError:
        return None
    notes = [
        f"{len(rows)} rows in the order of {times[0]!r}",
        f"every value is forecast from the {spec['window']} before it",
        f"splits by time: {named_splits(source.splits())}",
        *source.notices,
    ]
    return Guess(
        spec,
        {"series": {"type": "series"}},
        {"future": {"type": "number"}},
        None,
        len(source),
        notes,
        training_rows(source),
    )


def _in_order(values: Any) -> bool:
    column = np.asarray(values)
    if len(column) < 2 * _PARTS:
        return False
    if column.dtype == object:
        texts = [str(value) for value in column]
        if not all(_STEPS.match(text) for text in texts):
            return False
        column = np.array(texts)
    return bool((column[1:] > column[:-1]).all())
