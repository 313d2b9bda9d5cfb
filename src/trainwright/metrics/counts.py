"""Right and wrong per class: what accuracy, precision, recall and F1 are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainwright.metrics.arrays import Floats, Ints

Average = Literal["macro", "micro", "weighted"]


@dataclass(frozen=True)
class ClassCounts:
    """Counts per class, each `[C]` (or `[..., C]` for resamples).

    Attributes:
        hits: Samples of the class that were predicted as it.
        predicted: Samples that were predicted as the class.
        support: Samples of the class.
    """

    hits: Ints
    predicted: Ints
    support: Ints

    @property
    def precision(self) -> Floats:
        """Share of the predictions of a class that are right; 0 where there is none."""
        return _ratio(self.hits, self.predicted)

    @property
    def recall(self) -> Floats:
        """Share of a class that is found; 0 where it has no sample."""
        return _ratio(self.hits, self.support)

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall; 0 where both are undefined."""
        return _ratio(2 * self.hits, self.predicted + self.support)

    @property
    def seen(self) -> np.ndarray:
        """Classes that occur, be it as truth or as prediction; the others take no part in a mean."""
        return (self.predicted + self.support) > 0


def class_counts(predicted: Ints, target: Ints, num_classes: int) -> ClassCounts:
    """Counts per class of predicted ids `[N]` (-1: none) against true ids `[N]`."""
    return ClassCounts(
        hits=np.bincount(target[predicted == target], minlength=num_classes),
        predicted=np.bincount(predicted[predicted >= 0], minlength=num_classes),
        support=np.bincount(target, minlength=num_classes),
    )


def confusion_counts(predicted: Ints, target: Ints, num_classes: int) -> Ints:
    """How often each class (row) was predicted as each class (column), `[C, C]`; -1 is left out."""
    kept = predicted >= 0
    cells = target[kept] * num_classes + predicted[kept]
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def averaged(counts: ClassCounts, value: Literal["precision", "recall", "f1"], average: Average) -> float:
    """One number of the values per class.

    Args:
        counts: Counts per class `[C]`.
        value: Which value.
        average: `macro` is the plain mean over the classes that occur, `weighted` the mean by support,
            `micro` counts every sample alike (all three values then are the accuracy).
    """
    if average == "micro":
        total = ClassCounts(*(np.asarray(part.sum()) for part in _parts(counts)))
        return float(getattr(total, value))
    values: Floats = getattr(counts, value)
    weights = counts.seen if average == "macro" else counts.support
    return float((values * weights).sum() / weights.sum()) if weights.sum() else float("nan")


def _parts(counts: ClassCounts) -> tuple[Ints, Ints, Ints]:
    return counts.hits, counts.predicted, counts.support


def _ratio(part: Ints, whole: Ints) -> Floats:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
