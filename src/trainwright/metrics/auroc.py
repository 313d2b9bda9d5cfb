"""Area under the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics import ranking
from trainwright.metrics.arrays import finite_mean
from trainwright.metrics.memberships import named, ranked_classes

GREATER_IS_BETTER = {"auroc": True}
TARGETS = ("category", "categories")


def auroc(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, per_class: bool = False
) -> dict[str, float]:
    """Area under the ROC curve of each class against the rest, averaged over classes.

    Args:
        output: Logits `[N, C]`, for class ids ranked by their softmax.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Names of the classes, for `per_class`.
        per_class: Tell every class's value too.

    Returns:
        `auroc` in 0..1, the plain mean over the classes that have both positives and negatives; NaN
        when there is none. `auroc.<class>` with `per_class`.
    """
    values = np.array([ranking.auroc(one) for one in ranked_classes(output, target)])
    each = named("auroc", values, classes) if per_class else {}
    return {"auroc": finite_mean(values), **each}
