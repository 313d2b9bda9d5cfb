"""Expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.fields import PositiveInt
from trainwright.metrics.arrays import floats, ids, predicted_ids, softmax
from trainwright.metrics.reliability import reliability

GREATER_IS_BETTER = {"calibration_error": False}
TARGETS = ("category",)


def calibration_error(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, bins: PositiveInt = 15
) -> dict[str, float]:
    """Mean distance between the stated probability of the predicted class and how often it is right.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`.
        classes: Not used.
        bins: Number of bins of equal width over the probability.

    Returns:
        `calibration_error` in 0..1 (Guo et al. 2017, https://arxiv.org/abs/1706.04599).
    """
    scores = floats(output)
    right = predicted_ids(scores) == ids(target)
    return {"calibration_error": reliability(softmax(scores).max(axis=1), right, bins).error}
