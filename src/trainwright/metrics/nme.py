"""Normalised mean error of keypoints."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainwright.data.types import TensorSpec
from trainwright.metrics.arrays import finite_mean
from trainwright.metrics.point_errors import relative_errors

GREATER_IS_BETTER = {"nme": False}
TARGETS = ("keypoints",)


def nme(
    output: Any,
    target: Any,
    spec: TensorSpec | None = None,
    *,
    between: list[str | int] = [],  # noqa: B006 - never changed
) -> dict[str, float]:
    """Mean distance between found and true points, as a share of a reference length.

    Args:
        output: What was found: `points` `[N, D, K, 3]` and `labels` `[N, D]`.
        target: The truth: `points` `[N, M, K, 3]`, `boxes` `[N, M, 4]` and `labels` `[N, M]`.
        spec: Of the column, which names the points.
        between: Two points, by name or number, whose distance is the reference length; the longer side of
            the object's box when empty.

    Returns:
        `nme` over the annotated points of the objects that were found, NaN where there are none.
    """
    errors = relative_errors(output, target, spec.points if spec else None, between)
    return {"nme": finite_mean(np.where(np.isinf(errors), np.nan, errors))}
