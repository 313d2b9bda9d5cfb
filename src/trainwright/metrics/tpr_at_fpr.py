"""True positive rate at a fixed false positive rate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from trainwright.fields import Fraction
from trainwright.metrics.arrays import Floats
from trainwright.metrics.roc import Point, at_rate

GREATER_IS_BETTER = {"tpr_at_fpr": True}
TARGETS = ("category", "categories")


def tpr_at_fpr(
    output: Any,
    target: Any,
    classes: Sequence[str] | None = None,
    *,
    fpr: Fraction = 0.05,
    positive: str | None = None,
) -> dict[str, float]:
    """The largest true positive rate where the false positive rate is at most the given one.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Names of the classes.
        fpr: The false positive rate that is allowed.
        positive: The class that counts. When absent the second of two classes, else the plain mean over
            all classes that have both positives and negatives.

    Returns:
        `tpr_at_fpr_<fpr>` in 0..1; of a single class also `threshold_at_fpr_<fpr>`, the least probability
        that is accepted there (infinite where nothing is).
    """
    choose = partial(_choose, fpr=fpr)
    return at_rate(f"tpr_at_fpr_{fpr:g}", choose, output, target, classes, positive)


def _choose(false: Floats, true: Floats, thresholds: Floats, fpr: float) -> Point:
    allowed = np.flatnonzero(false <= fpr)[-1]
    return float(true[allowed]), float(thresholds[allowed])
