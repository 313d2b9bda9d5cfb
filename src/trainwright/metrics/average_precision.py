"""Average precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics import ranking
from trainwright.metrics.arrays import finite_mean, floats, ids, log_softmax

GREATER_IS_BETTER = {"average_precision": True}
TARGETS = ("category",)


def average_precision(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Area under the precision-recall curve of each class against the rest, averaged over classes.

    Stepped, not interpolated: the mean of the precisions at the samples of the class.

    Args:
        output: Logits `[N, C]`, ranked by their softmax.
        target: Class ids `[N]`.
        classes: Not used.

    Returns:
        `average_precision` in 0..1, the plain mean over the classes that have samples.
    """
    ranked = ranking.rank_classes(log_softmax(floats(output)), ids(target))
    return {"average_precision": finite_mean(np.array([ranking.average_precision(one) for one in ranked]))}
