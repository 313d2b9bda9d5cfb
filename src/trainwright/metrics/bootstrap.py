"""Bootstrap intervals, addressed by a seed: the same seed gives the same interval.

Nothing is resampled one by one. Counts of a resample are multinomial, so accuracy, precision, recall
and F1 are drawn from their cells; means of other values are gathered for all resamples at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trainwright.metrics.arrays import Floats, Ints
from trainwright.metrics.counts import ClassCounts

RESAMPLES = 1000
LEVEL = 0.95
# Gathering is linear in samples times resamples: beyond this many values fewer resamples are drawn,
# which widens the noise of the interval's ends, not the interval.
BUDGET = 20_000_000


class Interval(NamedTuple):
    """A value's percentile interval."""

    low: float
    high: float


def generator(seed: int) -> np.random.Generator:
    """A generator that is a pure function of its seed."""
    return np.random.Generator(np.random.Philox(key=seed))


def interval(values: Floats, level: float = LEVEL) -> Interval:
    """The percentile interval of resampled values `[R]`, NaNs left out."""
    kept = values[~np.isnan(values)]
    if not kept.size:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def resample_counts(counts: Ints, *, seed: int = 0, resamples: int = RESAMPLES) -> Ints:
    """Counts of the cells `[K]` in each resample `[R, K]`: multinomial, with the same total."""
    total = int(counts.sum())
    if not total:
        return np.zeros((resamples, len(counts)), dtype=np.int64)
    return generator(seed).multinomial(total, counts / total, size=resamples)


def share(hits: int, total: int, *, seed: int = 0, level: float = LEVEL) -> Interval:
    """The interval of a share such as the accuracy: `hits` of `total` samples."""
    if not total:
        return Interval(float("nan"), float("nan"))
    return interval(resample_counts(np.array([hits, total - hits]), seed=seed)[:, 0] / total, level)


def per_class(counts: ClassCounts, *, seed: int = 0, resamples: int = RESAMPLES) -> ClassCounts:
    """Resampled counts per class `[R, C]`, each class by its own four cells.

    A class's interval depends on no other class, which keeps this linear in the number of classes. Do
    not average over classes here: use `resample_confusion`.
    """
    total = int(counts.support.sum())
    only_predicted, missed = counts.predicted - counts.hits, counts.support - counts.hits
    rest = total - counts.hits - only_predicted - missed
    cells = np.stack([counts.hits, only_predicted, missed, rest], axis=1) / max(total, 1)
    drawn = generator(seed).multinomial(total, cells, size=(resamples, len(cells)))
    hits = drawn[..., 0]
    return ClassCounts(hits, hits + drawn[..., 1], hits + drawn[..., 2])


def resample_confusion(
    predicted: Ints, target: Ints, num_classes: int, *, seed: int = 0, resamples: int = RESAMPLES
) -> ClassCounts:
    """Counts per class `[R, C]` of whole resamples, for averages over classes such as macro F1."""
    pairs, counts = np.unique(target * (num_classes + 1) + predicted + 1, return_counts=True)
    true, guess = pairs // (num_classes + 1), pairs % (num_classes + 1) - 1
    resamples = max(100, min(resamples, BUDGET // (4 * max(len(pairs), 1))))
    drawn = resample_counts(counts, seed=seed, resamples=resamples)
    return ClassCounts(
        hits=_sum_by(drawn[:, true == guess], true[true == guess], num_classes),
        predicted=_sum_by(drawn[:, guess >= 0], guess[guess >= 0], num_classes),
        support=_sum_by(drawn, true, num_classes),
    )


def macro(values: Floats, counts: ClassCounts) -> Floats:
    """Plain means over the classes that occur, per resample: `[R, C]` to `[R]`."""
    seen = counts.seen
    return (values * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)


def resample_means(columns: Floats, *, seed: int = 0) -> Floats:
    """Means of each column over each resample: `[N, M]`, finite, to `[R, M]`.

    Whatever is computed from means over samples (RMSE, R2) gets its interval from these.
    """
    size = len(columns)
    if not size:
        return np.full((1, columns.shape[1]), np.nan)
    resamples = max(100, min(RESAMPLES, BUDGET // size))
    draw = generator(seed)
    values = np.ascontiguousarray(columns, dtype=np.float64)
    sums = np.empty((resamples, values.shape[1]))
    for index in range(resamples):
        # How often each sample was drawn; a product with the values then gives all sums at once.
        times = np.bincount(draw.integers(0, size, size, dtype=np.uint32), minlength=size)
        sums[index] = times @ values
    return sums / size


def _sum_by(drawn: Ints, group: Ints, groups: int) -> Ints:
    """Sums columns `[R, K]` by their group into `[R, groups]`."""
    order = np.argsort(group, kind="stable")
    running = np.concatenate([np.zeros((len(drawn), 1), np.int64), drawn[:, order].cumsum(axis=1)], axis=1)
    ends = np.cumsum(np.bincount(group, minlength=groups))
    return np.diff(running[:, np.concatenate([[0], ends])], axis=1)
