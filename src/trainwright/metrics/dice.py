"""Dice coefficient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.class_maps import averaged, class_counts_of, ratios

GREATER_IS_BETTER = {"dice": True}
TARGETS = ("mask",)


def dice(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, per_class: bool = False
) -> dict[str, float]:
    """Twice the common area through the sum of both areas of each class, over the pixels of the whole split.

    That is the F1 score of the pixels.

    Args:
        output: `confusion` `[N, C, C]`, true classes in rows.
        target: Not used.
        classes: Names of the classes; their ids when absent.
        per_class: Adds the value of each class.

    Returns:
        `dice` in 0..1, the mean over the classes that occur in truth or prediction, NaN without any;
        `dice.<class>`, NaN of a class that does not occur.
    """
    counts = class_counts_of(output)
    values = ratios(2 * counts.hits, counts.predicted + counts.support)
    return averaged("dice", "dice", values, classes, per_class)
