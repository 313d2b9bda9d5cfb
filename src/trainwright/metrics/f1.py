"""F1 score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.counts import Average, averaged
from trainwright.metrics.memberships import counts_of

GREATER_IS_BETTER = {"f1": True, "f1_micro": True, "f1_weighted": True}
TARGETS = ("category", "categories")


def f1(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, average: Average = "macro"
) -> dict[str, float]:
    """Harmonic mean of precision and recall per class, averaged over classes.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Not used.
        average: `macro` is the plain mean over the classes that occur, `weighted` the mean by number
            of samples, `micro` counts every sample (of memberships: every one) alike.

    Returns:
        `f1`, or `f1_micro` or `f1_weighted`, in 0..1.
    """
    key = "f1" if average == "macro" else f"f1_{average}"
    return {key: averaged(counts_of(output, target), "f1", average)}
