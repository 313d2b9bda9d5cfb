"""Counts of maps of classes over a split: what mIoU, Dice and the pixel accuracies are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import Floats, finite_mean, ids
from trainwright.metrics.counts import ClassCounts
from trainwright.metrics.memberships import named


def class_counts_of(output: Mapping[str, Any]) -> ClassCounts:
    """Pixels per class over all samples, from confusion matrices `[N, C, C]` with true classes in rows."""
    counts = ids(output["confusion"]).sum(axis=0)
    return ClassCounts(hits=counts.diagonal(), predicted=counts.sum(axis=0), support=counts.sum(axis=1))


def ratios(part: Any, whole: Any) -> Floats:
    """Ratio per class, NaN where the whole is 0: for a class that does not occur."""
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def averaged(
    mean: str, key: str, values: Floats, classes: Sequence[str] | None, per_class: bool
) -> dict[str, float]:
    """The mean over the classes that occur and, where it is wanted, each class's value.

    Args:
        mean: Name of the mean.
        key: Name of a class's value, before a dot and the class.
        values: `[C]`, NaN of classes that do not occur.
        classes: Their names; their ids when absent.
        per_class: Whether each class's value is wanted.
    """
    each = named(key, values, classes) if per_class else {}
    return {mean: finite_mean(values), **each}
