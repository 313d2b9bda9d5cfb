"""Precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.arrays import floats, ids, predicted_ids
from trainwright.metrics.counts import Average, averaged, class_counts

GREATER_IS_BETTER = {"precision": True, "precision_micro": True, "precision_weighted": True}
TARGETS = ("category",)


def precision(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, average: Average = "macro"
) -> dict[str, float]:
    """Share of the predictions of a class that are right, averaged over classes.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`.
        classes: Not used.
        average: `macro` is the plain mean over the classes that occur, `weighted` the mean by number
            of samples, `micro` counts every sample alike.

    Returns:
        `precision`, or `precision_micro` or `precision_weighted`, in 0..1.
    """
    scores = floats(output)
    counts = class_counts(predicted_ids(scores), ids(target), scores.shape[1])
    key = "precision" if average == "macro" else f"precision_{average}"
    return {key: averaged(counts, "precision", average)}
