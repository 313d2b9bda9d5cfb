"""Coefficient of determination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"r2": True}
TARGETS = ("number", "distribution")


def r2(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Share of the target's variance that the predictions explain, averaged over the K columns.

    Args:
        output: Predictions `[N, K]`.
        target: True values `[N, K]`.
        classes: Not used.

    Returns:
        `r2`: 1 is perfect, 0 is as good as the mean, below that worse. A constant column counts 1 when
        it is met exactly and 0 when not. NaN for fewer than two samples.
    """
    true = floats(target).astype(np.float64)
    if len(true) < 2:
        return {"r2": float("nan")}
    left = np.square(floats(output) - true).sum(axis=0)
    spread = np.square(true - true.mean(axis=0)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = np.where(spread > 0, 1 - left / spread, np.where(left == 0, 1.0, 0.0 * left))
    return {"r2": float(columns.mean())}
