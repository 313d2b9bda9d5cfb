"""Top-k accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.fields import PositiveInt
from trainwright.metrics.arrays import floats, ids

GREATER_IS_BETTER = {"top_k_accuracy": True}
TARGETS = ("category",)


def top_k_accuracy(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, k: PositiveInt = 5
) -> dict[str, float]:
    """Share of the samples whose true class is among the k highest outputs.

    Ties count against the sample: a constant output has found nothing.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`.
        classes: Not used.
        k: How many guesses a sample has.

    Returns:
        `top_<k>_accuracy` in 0..1, NaN without samples.
    """
    scores, true = floats(output), ids(target)
    own = scores[np.arange(len(scores)), true]
    # Not lower than the own score: NaN included, itself included.
    rank = (~(scores < own[:, None])).sum(axis=1)
    return {f"top_{k}_accuracy": float((rank <= k).mean()) if rank.size else float("nan")}
