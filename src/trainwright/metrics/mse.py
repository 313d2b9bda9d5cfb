"""Mean squared error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"mse": False}
TARGETS = ("number", "distribution")


def mse(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Mean of the squared differences, over all values.

    Args:
        output: Predictions `[N, K]`.
        target: True values `[N, K]`.
        classes: Not used.

    Returns:
        `mse`, in the target's unit squared.
    """
    difference = floats(output).astype(np.float64) - floats(target)
    return {"mse": float(np.square(difference).mean())}
