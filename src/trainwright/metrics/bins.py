"""Distributions over bins, in which probability lies evenly within a bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainwright.metrics.arrays import floats

Doubles = NDArray[np.float64]


def cumulative(probabilities: Any) -> Doubles:
    """Cumulative distribution at the edges `[N, K + 1]`, from 0 to 1."""
    each = floats(probabilities).astype(np.float64)
    sums = np.concatenate([np.zeros((len(each), 1)), each.cumsum(axis=1)], axis=1)
    return sums / sums[:, -1:]


def shares_below(number: Any, edges: Sequence[float]) -> Doubles:
    """Share of each bin that lies below the number: `[N, 1]` to `[N, K]`, in 0..1."""
    places = np.asarray(edges, dtype=np.float64)
    return np.clip((floats(number).astype(np.float64) - places[:-1]) / np.diff(places), 0, 1)
