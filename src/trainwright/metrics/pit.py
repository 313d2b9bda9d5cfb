"""Probability integral transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.data.types import TensorSpec
from trainwright.metrics.bins import Doubles, cumulative, shares_below

GREATER_IS_BETTER = {"pit_ks": False, "pit_outliers": False}
TARGETS = ("distribution",)
_TAIL = 1e-4


def pit(
    output: Any, target: Any, classes: Sequence[str] | None = None, spec: TensorSpec | None = None
) -> dict[str, float]:
    """How honest the widths of predicted distributions are.

    The transform of a sample is the probability that was given to numbers below the true one. Over many
    samples it is uniform in 0..1 where the distributions are right; too narrow ones pile up at both ends,
    too wide ones in the middle. Dawid 1984; for redshifts Schmidt et al. 2020,
    https://arxiv.org/abs/2001.03621.

    Args:
        output: Probabilities `[N, K]`.
        target: True numbers `[N, 1]`.
        classes: Not used.
        spec: Has the edges of the bins.

    Returns:
        `pit_mean` (0.5 is right), `pit_std` (0.289 is right, more is too narrow), `pit_ks` (largest
        distance to the uniform cumulative distribution: Kolmogorov and Smirnov) and `pit_outliers` (share
        of samples below 0.0001 or above 0.9999).
    """
    assert spec is not None
    values = transform(output, target, spec.edges)
    tails = ~((values >= _TAIL) & (values <= 1 - _TAIL))
    return {
        "pit_mean": float(values.mean()),
        "pit_std": float(values.std()),
        "pit_ks": _distance(values),
        "pit_outliers": float(tails.mean()),
    }


def transform(output: Any, target: Any, edges: Sequence[float]) -> Doubles:
    """The transform of every sample `[N]`, in 0..1."""
    at = cumulative(output)
    below = (shares_below(target, edges) * np.diff(at, axis=1)).sum(axis=1)
    return np.clip(below, 0, 1)


def _distance(values: Doubles) -> float:
    if np.isnan(values).any() or not len(values):
        return float("nan")
    ordered, steps = np.sort(values), np.arange(len(values) + 1) / len(values)
    return float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
