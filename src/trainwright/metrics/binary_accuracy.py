"""Yes or no per class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.fields import Fraction
from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"binary_accuracy": True}
TARGETS = ("categories",)


def binary_accuracy(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, threshold: Fraction = 0.5
) -> dict[str, float]:
    """Share of all yes and no, of every class and sample, that are right.

    With many rare classes it is high for a model that never says yes; `average_precision` is not.

    Args:
        output: Logits `[N, C]`.
        target: Memberships `[N, C]`.
        classes: Not used.
        threshold: Probability above which a class is told.

    Returns:
        `binary_accuracy` in 0..1, NaN without samples.
    """
    scores = floats(output).astype(np.float64)
    with np.errstate(divide="ignore"):
        least = np.log(threshold) - np.log1p(-threshold)
    right = ((scores > least) == (floats(target) > 0.5)) & ~np.isnan(scores)
    return {"binary_accuracy": float(right.mean()) if right.size else float("nan")}
