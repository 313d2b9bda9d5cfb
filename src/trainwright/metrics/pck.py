"""Percentage of correct keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.data.types import TensorSpec
from trainwright.fields import Positive
from trainwright.metrics import bootstrap
from trainwright.metrics.bootstrap import Interval
from trainwright.metrics.point_errors import per_sample, relative_errors

GREATER_IS_BETTER = {"pck": True}
TARGETS = ("keypoints",)


def pck(
    output: Any,
    target: Any,
    spec: TensorSpec | None = None,
    *,
    threshold: Positive = 0.1,
    between: list[str | int] = [],  # noqa: B006 - never changed
) -> dict[str, float]:
    """Share of the annotated points that are found near enough (Yang and Ramanan, PAMI 2013), of 1.

    Args:
        output: What was found: `points` `[N, D, K, 3]` and `labels` `[N, D]`.
        target: The truth: `points` `[N, M, K, 3]`, `boxes` `[N, M, 4]` and `labels` `[N, M]`.
        spec: Of the column, which names the points.
        threshold: Largest distance of a correct point, as a share of the reference length.
        between: Two points, by name or number, whose distance is the reference length, such as the outer
            corners of the eyes; the longer side of the object's box when empty.

    Returns:
        `pck`, NaN where no point is annotated. Objects without a reference length are left out; objects
        that were not found count as wrong.
    """
    hits, counts = per_sample(
        relative_errors(output, target, spec.points if spec else None, between), threshold
    )
    total = counts.sum()
    return {"pck": float(hits.sum() / total) if total else float("nan")}


def pck_interval(
    output: Any,
    target: Any,
    spec: TensorSpec | None = None,
    *,
    threshold: float = 0.1,
    between: Sequence[str | int] = (),
    seed: int = 0,
) -> Interval:
    """The 95 % bootstrap interval of `pck`: whole pictures are drawn, as the points of one go together."""
    errors = relative_errors(output, target, spec.points if spec else None, between)
    means = bootstrap.resample_means(np.stack(per_sample(errors, threshold), axis=1), seed=seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        return bootstrap.interval(means[:, 0] / means[:, 1])
