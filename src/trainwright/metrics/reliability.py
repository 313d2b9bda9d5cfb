"""How far stated probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Floats, Ints


@dataclass(frozen=True)
class Reliability:
    """Samples by stated confidence, in bins of equal width over 0..1.

    Attributes:
        edges: `[bins + 1]`.
        counts: Samples per bin `[bins]`.
        confidence: Mean stated confidence per bin, NaN where it is empty.
        accuracy: Share that is right per bin, NaN where it is empty.
        error: Expected calibration error: mean of |confidence - accuracy| over all samples.
        largest: Largest |confidence - accuracy| of a bin.
    """

    edges: Floats
    counts: Ints
    confidence: Floats
    accuracy: Floats
    error: float
    largest: float


def reliability(confidence: Floats, right: np.ndarray, bins: int = 15) -> Reliability:
    """Compares stated confidence with how often it was right.

    Naeini et al. 2015; Guo et al. 2017, https://arxiv.org/abs/1706.04599.

    Args:
        confidence: Probability of the predicted class `[N]`; samples with NaN are left out.
        right: Whether the prediction was right `[N]`.
        bins: Number of bins, each open to the left and closed to the right.
    """
    kept = ~np.isnan(confidence)
    confidence, right = confidence[kept].astype(np.float64), np.asarray(right)[kept]
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        stated = np.bincount(place, weights=confidence, minlength=bins) / counts
        found = np.bincount(place, weights=right, minlength=bins) / counts
    gaps = np.nan_to_num(np.abs(stated - found))
    error = float((gaps * counts).sum() / len(confidence)) if len(confidence) else float("nan")
    return Reliability(np.linspace(0, 1, bins + 1), counts, stated, found, error, float(gaps.max()))
