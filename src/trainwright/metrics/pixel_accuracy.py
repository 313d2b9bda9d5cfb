"""Pixel accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.class_maps import averaged, class_counts_of, ratios

GREATER_IS_BETTER = {"pixel_accuracy": True, "class_accuracy": True}
TARGETS = ("mask",)


def pixel_accuracy(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, per_class: bool = False
) -> dict[str, float]:
    """Share of the pixels whose class is right, of all together and of each class.

    Args:
        output: `confusion` `[N, C, C]`, true classes in rows.
        target: Not used.
        classes: Names of the classes; their ids when absent.
        per_class: Adds the share of each class.

    Returns:
        `pixel_accuracy` in 0..1, NaN without pixels; `class_accuracy`, the mean over the classes that occur
        in the truth of the share of their pixels that is found; `class_accuracy.<class>`.
    """
    counts = class_counts_of(output)
    found = {"pixel_accuracy": float(ratios(counts.hits.sum(), counts.support.sum()))}
    shares = ratios(counts.hits, counts.support)
    return found | averaged("class_accuracy", "class_accuracy", shares, classes, per_class)
