"""The usual statistics of photometric redshifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.fields import Positive
from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"sigma_mad": False, "outliers": False}
TARGETS = ("number", "distribution")


def redshift(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, outlier: Positive = 0.05
) -> dict[str, float]:
    """Bias, spread and outliers of `dz = (predicted - true) / (1 + true)`.

    As in Pasquet et al. 2019, https://arxiv.org/abs/1806.06607.

    Args:
        output: Predicted redshifts `[N, 1]`; of a distribution its expectation.
        target: Spectroscopic redshifts `[N, 1]`.
        classes: Not used.
        outlier: A sample with a larger `|dz|` is an outlier, and so is one without a number.

    Returns:
        `bias` (mean of dz), `sigma_mad` (1.4826 times the median of `|dz - median(dz)|`) and `outliers`
        (share of the samples).
    """
    true = floats(target).astype(np.float64)
    dz = (floats(output) - true) / (1 + true)
    if not dz.size:
        return dict.fromkeys(("bias", "sigma_mad", "outliers"), float("nan"))
    return {
        "bias": float(dz.mean()),
        "sigma_mad": float(1.4826 * np.median(np.abs(dz - np.median(dz)))),
        "outliers": float((~(np.abs(dz) <= outlier)).mean()),
    }
