"""False positive rate at a fixed true positive rate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from trainwright.fields import Fraction
from trainwright.metrics.arrays import Floats
from trainwright.metrics.roc import Point, at_rate

GREATER_IS_BETTER = {"fpr_at_tpr": False}
TARGETS = ("category", "categories")


def fpr_at_tpr(
    output: Any,
    target: Any,
    classes: Sequence[str] | None = None,
    *,
    tpr: Fraction = 0.95,
    positive: str | None = None,
) -> dict[str, float]:
    """The smallest false positive rate where the true positive rate is at least the given one.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Names of the classes.
        tpr: The true positive rate that is wanted.
        positive: The class that counts. When absent the second of two classes, else the plain mean over
            all classes that have both positives and negatives.

    Returns:
        `fpr_at_tpr_<tpr>` in 0..1; of a single class also `threshold_at_tpr_<tpr>`, the least probability
        that is accepted there (infinite where nothing is).
    """
    choose = partial(_choose, tpr=tpr)
    return at_rate(f"fpr_at_tpr_{tpr:g}", choose, output, target, classes, positive)


def _choose(false: Floats, true: Floats, thresholds: Floats, tpr: float) -> Point:
    allowed = np.flatnonzero(true >= tpr)[0]
    return float(false[allowed]), float(thresholds[allowed])
