"""What the values of an undescribed column are good for."""

from __future__ import annotations

import numpy as np

from trainwright.data.processors.category import factorise
from trainwright.data.types import Values

_TARGET_NAMES = ("target", "label", "class", "category", "y")
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
