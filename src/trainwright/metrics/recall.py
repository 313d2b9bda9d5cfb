"""Recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.counts import Average, averaged
from trainwright.metrics.memberships import counts_of

GREATER_IS_BETTER = {"recall": True, "recall_micro": True, "recall_weighted": True}
TARGETS = ("category", "categories")


def recall(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, average: Average = "macro"
) -> dict[str, float]:
    """Share of the samples of a class that are found, averaged over classes.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Not used.
        average: `macro` is the plain mean over the classes that occur, `weighted` the mean by number
            of samples, `micro` counts every sample (of memberships: every one) alike.

    Returns:
        `recall`, or `recall_micro` or `recall_weighted`, in 0..1.
    """
    key = "recall" if average == "macro" else f"recall_{average}"
    return {key: averaged(counts_of(output, target), "recall", average)}
