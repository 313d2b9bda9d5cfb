"""Counts of maps of classes over a split: what mIoU, Dice and the pixel accuracies are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import Floats, finite_mean, ids
from trainwright.metrics.counts import ClassCounts


def class_counts_of(output: Mapping[str, Any]) -> ClassCounts:
    """Pixels per class over all samples, from confusion matrices `[N, C, C]` with true classes in rows."""
    counts = ids(output["confusion"]).sum(axis=0)
    return ClassCounts(hits=counts.diagonal(), predicted=counts.sum(axis=0), support=counts.sum(axis=1))


def ratios(part: Any, whole: Any) -> Floats:
    """Ratio per class, NaN where the whole is 0: for a class that does not occur."""
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def named(
    key: str, mean_key: str, values: Floats, classes: Sequence[str] | None, every: bool
) -> dict[str, float]:
    """The mean over the classes that occur, and perhaps each class's value.

    Args:
        key: Of a class's value, before a dot and its name.
        mean_key: Of the mean.
        values: `[C]`, NaN of classes that do not occur.
        classes: Their names; their ids when absent.
        every: Whether each class's value is wanted.
    """
    found = {mean_key: finite_mean(values)}
    if every:
        names = classes if classes is not None else [str(place) for place in range(len(values))]
        found |= {f"{key}.{name}": float(value) for name, value in zip(names, values, strict=True)}
    return found
