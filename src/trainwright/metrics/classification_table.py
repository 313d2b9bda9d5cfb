"""Precision, recall and F1 of every class, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics import bootstrap
from trainwright.metrics.arrays import Floats, Ints, floats, ids, predicted_ids
from trainwright.metrics.bootstrap import Interval
from trainwright.metrics.counts import class_counts


@dataclass(frozen=True)
class ClassRow:
    """One class's row.

    Attributes:
        name: Name of the class.
        support: Samples of the class.
        predicted: Samples that were predicted as it.
        precision: NaN when the class was never predicted.
        recall: NaN when the class has no sample.
        f1: NaN when both hold.
    """

    name: str
    support: int
    predicted: int
    precision: float
    recall: float
    f1: float
    precision_interval: Interval
    recall_interval: Interval
    f1_interval: Interval


def classification_table(
    output: Any, target: Any, classes: Sequence[str], *, seed: int = 0
) -> list[ClassRow]:
    """Precision, recall, F1 and support per class with 95 % bootstrap intervals.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`.
        classes: Names of the classes.
        seed: Address of the resamples.
    """
    return table_of_ids(predicted_ids(floats(output)), ids(target), classes, seed=seed)


def table_of_ids(predicted: Ints, target: Ints, classes: Sequence[str], *, seed: int = 0) -> list[ClassRow]:
    """The same from predicted class ids `[N]` (-1: none)."""
    counts = class_counts(predicted, target, len(classes))
    drawn = bootstrap.per_class(counts, seed=seed)
    seen = {"precision": counts.predicted > 0, "recall": counts.support > 0, "f1": counts.seen}
    values = {key: np.where(there, getattr(counts, key), np.nan) for key, there in seen.items()}
    ends = {key: _ends(getattr(drawn, key), there) for key, there in seen.items()}
    return [
        ClassRow(
            name=name,
            support=int(counts.support[index]),
            predicted=int(counts.predicted[index]),
            precision=float(values["precision"][index]),
            recall=float(values["recall"][index]),
            f1=float(values["f1"][index]),
            precision_interval=ends["precision"][index],
            recall_interval=ends["recall"][index],
            f1_interval=ends["f1"][index],
        )
        for index, name in enumerate(classes)
    ]


def _ends(drawn: Floats, there: np.ndarray) -> list[Interval]:
    """Interval per class of resampled values `[R, C]`, NaN where the value is undefined."""
    low, high = np.where(there, np.quantile(drawn, [0.025, 0.975], axis=0), np.nan).tolist()
    return [Interval(*pair) for pair in zip(low, high, strict=True)]
