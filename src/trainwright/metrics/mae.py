"""Mean absolute error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"mae": False}
TARGETS = ("number", "distribution")


def mae(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Mean of the absolute differences, over all values.

    Args:
        output: Predictions `[N, K]`.
        target: True values `[N, K]`.
        classes: Not used.

    Returns:
        `mae`, in the target's unit.
    """
    difference = floats(output).astype(np.float64) - floats(target)
    return {"mae": float(np.abs(difference).mean())}
