"""Accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.arrays import floats, ids, predicted_ids

GREATER_IS_BETTER = {"accuracy": True}
TARGETS = ("category",)


def accuracy(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Share of the samples whose true class has the highest output.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`.
        classes: Not used.

    Returns:
        `accuracy` in 0..1, NaN without samples.
    """
    right = predicted_ids(floats(output)) == ids(target)
    return {"accuracy": float(right.mean()) if right.size else float("nan")}
