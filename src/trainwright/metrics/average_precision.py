"""Average precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics import ranking
from trainwright.metrics.arrays import finite_mean
from trainwright.metrics.memberships import named, ranked_classes

GREATER_IS_BETTER = {"average_precision": True}
TARGETS = ("category", "categories")


def average_precision(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, per_class: bool = False
) -> dict[str, float]:
    """Area under the precision-recall curve of each class against the rest, averaged over classes.

    Stepped, not interpolated: the mean of the precisions at the samples of the class.

    Args:
        output: Logits `[N, C]`, for class ids ranked by their softmax.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Names of the classes, for `per_class`.
        per_class: Tell every class's value too.

    Returns:
        `average_precision` in 0..1, the plain mean over the classes that have samples;
        for memberships this is the mean average precision. `average_precision.<class>` with `per_class`.
    """
    values = np.array([ranking.average_precision(one) for one in ranked_classes(output, target)])
    each = named("average_precision", values, classes) if per_class else {}
    return {"average_precision": finite_mean(values), **each}
