"""Continuous ranked probability score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.data.types import TensorSpec
from trainwright.metrics.arrays import floats
from trainwright.metrics.bins import Doubles, cumulative, shares_below

GREATER_IS_BETTER = {"crps": False}
TARGETS = ("distribution",)


def crps(
    output: Any, target: Any, classes: Sequence[str] | None = None, spec: TensorSpec | None = None
) -> dict[str, float]:
    """Mean continuous ranked probability score: the absolute error of a distribution instead of a number.

    Gneiting and Raftery, JASA 2007, https://doi.org/10.1198/016214506000001437. Probability lies evenly
    within a bin, and the integral over the squared difference to the true step is exact.

    Args:
        output: Probabilities `[N, K]`.
        target: True numbers `[N, 1]`, also beyond the bins.
        classes: Not used.
        spec: Has the edges of the bins.

    Returns:
        `crps`, in the number's unit.
    """
    assert spec is not None
    return {"crps": float(of_samples(output, target, spec.edges).mean())}


def of_samples(output: Any, target: Any, edges: Sequence[float]) -> Doubles:
    """The score of every sample `[N]`, in the number's unit; the metric is their mean."""
    places = np.asarray(edges, dtype=np.float64)
    at = cumulative(output)
    left, right = at[:, :-1], at[:, 1:]
    share = shares_below(target, edges)
    middle = left + share * (right - left)
    each = share * _square(left, middle) + (1 - share) * _square(1 - middle, 1 - right)
    number = floats(target).astype(np.float64)[:, 0]
    beyond = np.maximum(number - places[-1], 0) + np.maximum(places[0] - number, 0)
    score: Doubles = each @ np.diff(places) + beyond
    return score


def _square(start: Doubles, end: Doubles) -> Doubles:
    """Mean of the square of a line from `start` to `end`."""
    return (start**2 + start * end + end**2) / 3
