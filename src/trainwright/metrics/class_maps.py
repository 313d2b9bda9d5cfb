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


def miou_per_picture(confusion: Any) -> Floats:
    """Mean IoU of each picture over the classes that its truth or its prediction shows.

    Args:
        confusion: `[N, C, C]`, true classes in rows.

    Returns:
        `[N]`, NaN of a picture without a labelled pixel.
    """
    counts = ids(confusion)
    hits = counts.diagonal(axis1=1, axis2=2)
    union = counts.sum(axis=1) + counts.sum(axis=2) - hits
    overlap = np.divide(hits, union, out=np.zeros(hits.shape), where=union > 0).sum(axis=1)
    return np.where(counts.any(axis=(1, 2)), overlap / np.maximum((union > 0).sum(axis=1), 1), np.nan)


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
