"""Samples whose classes are all told rightly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"exact_match": True}
TARGETS = ("categories",)


def exact_match(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Share of the samples of which every class is told rightly, present or not.

    Args:
        output: Logits `[N, C]`; above 0 the class is told.
        target: Memberships `[N, C]`.
        classes: Not used.

    Returns:
        `exact_match` in 0..1, NaN without samples.
    """
    scores, true = floats(output), floats(target) > 0.5
    right = ((scores > 0) == true) & ~np.isnan(scores)
    return {"exact_match": float(right.all(axis=1).mean()) if len(right) else float("nan")}
