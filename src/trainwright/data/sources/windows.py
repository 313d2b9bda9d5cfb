"""Cutting long signals into windows, and dividing these by time, so that no two splits share a value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainwright.data.types import Values

Indices = npt.NDArray[np.int64]


def window_starts(length: int, window: int, stride: int) -> Indices:
    """First places of all windows that lie within a signal; none where it is too short."""
    return np.arange(0, length - window + 1, stride, dtype=np.int64)


def splits_by_time(
    starts: Indices, stops: Indices, total: int, val: float, test: float
) -> dict[str, npt.NDArray[np.bool_]]:
    """Which windows of one signal lie wholly in its first, middle and last part.

    Windows across a border are in no part: half of their values would be in the next one.

    Args:
        starts: First places of the windows.
        stops: Places behind their last values.
        total: Length of the signal.
        val: Share of the signal before the test part that is for validation.
        test: Share at its end that is for testing.
    """
    first, second = round(total * (1 - val - test)), round(total * (1 - test))
    parts = {"train": stops <= first}
    if val:
        parts["val"] = (starts >= first) & (stops <= second)
    if test:
        parts["test"] = starts >= second
    return parts


def majority(values: Values) -> object:
    """The most frequent value; among equals the one that comes first."""
    found, first, counts = np.unique(np.asarray(values), return_index=True, return_counts=True)
    return found[np.lexsort((first, -counts))[0]]
