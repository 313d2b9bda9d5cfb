"""Counting and looking up among millions of rows, a piece at a time: a copy of them all would be large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_PIECE = 1 << 20
Integers = npt.NDArray[Any]


def class_counts(ids: Integers, rows: Integers, classes: int) -> npt.NDArray[np.int64]:
    """How many of some rows each class has, int64 `[classes]`, or longer where an id is larger.

    Args:
        ids: Class id of every row `[N]`, from 0.
        rows: Row numbers `[n]`.
        classes: Number of classes.
    """
    return _summed((ids[part] for part in pieces(rows)), classes)


def occurrences(numbers: Integers) -> npt.NDArray[np.int64]:
    """How often each number from 0 to the largest one occurs, int64."""
    return _summed(pieces(numbers), 0)


def _summed(parts: Iterable[Integers], least: int) -> npt.NDArray[np.int64]:
    counts = np.zeros(least, dtype=np.int64)
    for part in parts:
        found = np.bincount(part, minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    return counts


def all_among(picked: Integers, rows: Integers) -> bool:
    """Whether all of `picked` `[n]` are among `rows` `[m]`, both row numbers; takes a byte per row."""
    if not len(picked) or not len(rows):
        return not len(picked)
    if picked.min() < 0 or picked.max() > (last := int(rows.max())):
        return False
    known = np.zeros(last + 1, dtype=bool)
    known[rows] = True
    return all(bool(known[part].all()) for part in pieces(picked))


def pieces(values: Integers) -> Iterator[Integers]:
    """Views of an array, one after the other."""
    for start in range(0, len(values), _PIECE):
        yield values[start : start + _PIECE]
