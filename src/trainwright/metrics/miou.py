"""Mean intersection over union."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.metrics.class_maps import averaged, class_counts_of, ratios

GREATER_IS_BETTER = {"miou": True, "iou": True}
TARGETS = ("mask",)


def miou(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, per_class: bool = False
) -> dict[str, float]:
    """Common area through united area of each class, over the pixels of the whole split (the Jaccard index).

    Args:
        output: `confusion` `[N, C, C]`, true classes in rows.
        target: Not used.
        classes: Names of the classes; their ids when absent.
        per_class: Adds the value of each class.

    Returns:
        `miou` in 0..1, the mean over the classes that occur in truth or prediction, NaN without any;
        `iou.<class>`, NaN of a class that does not occur.
    """
    counts = class_counts_of(output)
    union = counts.predicted + counts.support - counts.hits
    return averaged("miou", "iou", ratios(counts.hits, union), classes, per_class)
