"""Root of the mean squared error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"rmse": False}
TARGETS = ("number", "distribution")


def rmse(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Square root of the mean squared difference, over all values.

    Args:
        output: Predictions `[N, K]`.
        target: True values `[N, K]`.
        classes: Not used.

    Returns:
        `rmse`, in the target's unit.
    """
    difference = floats(output).astype(np.float64) - floats(target)
    return {"rmse": float(np.sqrt(np.square(difference).mean()))}
