"""Area under the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics import ranking
from trainwright.metrics.arrays import finite_mean, floats, ids, log_softmax

GREATER_IS_BETTER = {"auroc": True}
TARGETS = ("category",)


def auroc(output: Any, target: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """Area under the ROC curve of each class against the rest, averaged over classes.

    Args:
        output: Logits `[N, C]`, ranked by their softmax.
        target: Class ids `[N]`.
        classes: Not used.

    Returns:
        `auroc` in 0..1, the plain mean over the classes that have both positives and negatives; NaN
        when there is none.
    """
    ranked = ranking.rank_classes(log_softmax(floats(output)), ids(target))
    return {"auroc": finite_mean(np.array([ranking.auroc(one) for one in ranked]))}
