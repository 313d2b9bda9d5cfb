"""Confusion matrix as named values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from trainwright.metrics.arrays import floats, ids, predicted_ids
from trainwright.metrics.counts import confusion_counts

GREATER_IS_BETTER: dict[str, bool] = {}
TARGETS = ("category",)


def confusion_matrix(
    output: Any,
    target: Any,
    classes: Sequence[str] | None = None,
    *,
    normalize: Literal["none", "true", "predicted"] = "none",
) -> dict[str, float]:
    """How often each class was predicted as each class.

    One value a cell: meant for few classes. The report shows the matrix without being asked.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`.
        classes: Names of the classes; their ids when absent.
        normalize: `none` counts, `true` divides by the samples of the true class, `predicted` by the
            predictions of the predicted class.

    Returns:
        `confusion.<true>.<predicted>` for every pair of classes.
    """
    scores = floats(output)
    num_classes = scores.shape[1]
    counts = confusion_counts(predicted_ids(scores), ids(target), num_classes).astype(np.float64)
    if normalize != "none":
        counts /= np.maximum(counts.sum(axis=1 if normalize == "true" else 0, keepdims=True), 1)
    names = list(classes) if classes is not None else [str(index) for index in range(num_classes)]
    return {
        f"confusion.{true}.{predicted}": float(counts[row, column])
        for row, true in enumerate(names)
        for column, predicted in enumerate(names)
    }
