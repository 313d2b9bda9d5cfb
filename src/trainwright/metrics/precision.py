"""Precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.counts import Average, averaged
from trainwright.metrics.memberships import counts_of

GREATER_IS_BETTER = {"precision": True, "precision_micro": True, "precision_weighted": True}
TARGETS = ("category", "categories")


def precision(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, average: Average = "macro"
) -> dict[str, float]:
    """Share of the predictions of a class that are right, averaged over classes.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Not used.
        average: `macro` is the plain mean over the classes that occur, `weighted` the mean by number
            of samples, `micro` counts every sample (of memberships: every one) alike.

    Returns:
        `precision`, or `precision_micro` or `precision_weighted`, in 0..1.
    """
    key = "precision" if average == "macro" else f"precision_{average}"
    return {key: averaged(counts_of(output, target), "precision", average)}
