"""What stored predictions say of every sample: columns that a split's metrics are means of.

No torch here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.inference.predictions import Predictions
from trainwright.metrics.arrays import Floats

_ABOUT = ("probability", "probabilities", "predicted", "shares", "below", "distribution")


@dataclass(frozen=True)
class SampleScores:
    """A metric as a value per sample.

    Attributes:
        name: Of the metric, such as `accuracy`.
        values: Per sample `[N]`; NaN where there is no truth.
        of_mean: What makes the metric of the mean of the values; a root for `rmse`.
    """

    name: str
    values: Floats
    of_mean: Callable[[Any], Any] = lambda mean: mean

    @property
    def whole(self) -> float:
        """The metric over all samples that have a value."""
        kept = self.values[np.isfinite(self.values)]
        return float(self.of_mean(kept.mean())) if kept.size else float("nan")


def sample_scores(predictions: Predictions, target: str, type: str) -> list[SampleScores]:
    """Metrics of a target that are means over samples.

    Args:
        predictions: Of a split.
        target: Name of the target.
        type: Of its column.

    Returns:
        None for a target whose metrics are no such means, such as the mean average precision of boxes.
    """
    columns = predictions.columns
    if f"{target}_predicted" in columns and target in columns:
        of_type = {
            "category": _category,
            "categories": _categories,
            "number": _number,
            "distribution": _number,
        }
        found = of_type[type](columns, target) if type in of_type else []
    else:
        found = []
    known = {score.name for score in found}
    return found + [
        SampleScores(name, np.asarray(values, dtype=np.float64))
        for column, values in columns.items()
        if column.startswith(f"{target}_")
        and (name := column.removeprefix(f"{target}_")) not in (*known, *_ABOUT)
        and isinstance(values, np.ndarray)
        and values.ndim == 1
    ]


def _category(columns: Mapping[str, Any], target: str) -> list[SampleScores]:
    pairs = zip(columns[target], columns[f"{target}_predicted"], strict=True)
    right = [float("nan") if true is None else float(true == told) for true, told in pairs]
    return [SampleScores("accuracy", np.array(right))]


def _categories(columns: Mapping[str, Any], target: str) -> list[SampleScores]:
    pairs = zip(columns[target], columns[f"{target}_predicted"], strict=True)
    right = [float("nan") if true is None else float(set(true) == set(told or ())) for true, told in pairs]
    return [SampleScores("exact_match", np.array(right))]


def _number(columns: Mapping[str, Any], target: str) -> list[SampleScores]:
    true, told = (np.asarray(columns[name], dtype=np.float64) for name in (target, f"{target}_predicted"))
    if true.shape != told.shape:
        return []
    error = (told - true).reshape(len(true), -1)
    squares = np.square(error).mean(axis=1)
    return [
        SampleScores("mae", np.abs(error).mean(axis=1)),
        SampleScores("mse", squares),
        SampleScores("rmse", squares, np.sqrt),
    ]
