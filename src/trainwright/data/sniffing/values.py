"""What the values of an undescribed column are good for."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import numpy as np

from trainwright.data.processors.category import factorise
from trainwright.data.types import Values
from trainwright.errors import DataError

_TARGET_NAMES = ("target", "label", "class", "category", "y")
_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]\d{1,2}:\d{2}.*)?"
    r"|\d{1,2}:\d{2}(:\d{2})?"
)
_LOOKED_AT = 100  # values that have to look like dates
_MOST_CLASSES = 20  # whole numbers with more values than this are a quantity, not a class


def named_target(names: list[str]) -> str | None:
    """The column that is named like a target, None without one."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in _TARGET_NAMES if name in lower), None)


def target_type(values: Values) -> str:
    """`category` for texts and for whole numbers with few values, else `number`."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and not _whole_with_gaps(array):
        return "number"
    if array.dtype.kind in "iuf" and distinct(values) > _MOST_CLASSES:
        return "number"
    return "category"


def _whole_with_gaps(array: np.ndarray) -> bool:
    """Whole numbers that are floats only because some are missing."""
    present = array[~np.isnan(array)]
    return len(present) < len(array) and bool((present == np.rint(present)).all())


def distinct(values: Values) -> int:
    """How many different values there are, gaps apart."""
    return len([name for name in factorise(values)[0] if name is not None])


def gaps(values: Values) -> int:
    """How many rows lack a value."""
    names, places = factorise(values)
    missing = [place for place, name in enumerate(names) if name is None]
    return int(np.isin(places, missing).sum())


def counts_rows(values: np.ndarray) -> bool:
    """Whether the values only number the rows."""
    return (
        values.dtype.kind in "iu" and len(values) > 2 and bool((np.diff(values.astype(np.int64)) == 1).all())
    )


def are_dates(values: Values) -> bool:
    """Whether the values are dates or times of day, or texts that look like them."""
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        return values.dtype.kind == "M"
    present = [value for value in values[:_LOOKED_AT] if value is not None]
    return bool(present) and all(
        isinstance(value, datetime.date | datetime.time)
        or (isinstance(value, str) and _DATE.fullmatch(value.strip()) is not None)
        for value in present
    )


def refuse_constant(values: Values, name: str, path: Path) -> None:
    """Raises `DataError` where the column taken for the target has one value only: nothing can be learned."""
    found = [value for value in factorise(values)[0] if value is not None]
    if len(found) == 1:
        raise DataError(
            f"column {name!r} is taken for the target, and has one value only: {found[0]}",
            where=str(path),
            why="there is nothing to learn where all samples have the same value",
            fix="call the column that is meant `target`, or write the recipe by hand",
        )
