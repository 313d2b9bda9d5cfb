"""How far found keypoints are from the true ones, as shares of a length in the picture. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.errors import ModelError, closest
from trainwright.metrics.arrays import Floats, floats, ids


def relative_errors(
    output: Any, target: Any, points: Sequence[str] | None, between: Sequence[str | int]
) -> Floats:
    """Distance of every true point to the found one, divided by its object's reference length.

    Every true object is compared with the found object whose points are nearest on average, of whatever
    class; where nothing was found, the distance is infinite.

    Args:
        output: `points` `[N, D, K, 3]` and `labels` `[N, D]` of what was found, -1 in rows without an object.
        target: `points` `[N, M, K, 3]`, `boxes` `[N, M, 4]` and `labels` `[N, M]` likewise.
        points: Names of the K points; their numbers when absent.
        between: Two points whose distance is the reference length; the longer side of the true object's box
            when empty.

    Returns:
        float64 `[N, M, K]`; NaN for points that are not annotated and objects without a reference length.
    """
    truth, found = (floats(item["points"]).astype(np.float64) for item in (target, output))
    present = ids(target["labels"]) >= 0
    seen = (truth[..., 2] > 0) & present[..., None]
    distance = np.full(truth.shape[:3], np.inf)
    nearest = np.full(truth.shape[:2], np.inf)
    detected = ids(output["labels"]) >= 0
    count = np.maximum(seen.sum(axis=2), 1)
    for row in range(found.shape[1]):  # of detections, one for heads that find one object
        apart = np.linalg.norm(found[:, row, None, :, :2] - truth[..., :2], axis=3)
        apart = np.where(np.isnan(apart), np.inf, apart)
        mean = np.where(seen, apart, 0.0).sum(axis=2) / count
        better = detected[:, row, None] & (mean < nearest)
        distance[better], nearest[better] = apart[better], mean[better]
    length = _lengths(target, truth, points, between)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = distance / length[..., None]
    return np.where(seen & (length > 0)[..., None], relative, np.nan)


def per_sample(errors: Floats, threshold: float) -> tuple[Floats, Floats]:
    """Points of each sample that are nearer than a threshold, and all that count: float64 `[N]` each."""
    # A comparison with NaN is false.
    hits = (errors <= threshold).sum(axis=(1, 2))
    return hits.astype(np.float64), (~np.isnan(errors)).sum(axis=(1, 2)).astype(np.float64)


def _lengths(
    target: Any, truth: Floats, points: Sequence[str] | None, between: Sequence[str | int]
) -> Floats:
    """Reference length of every true object `[N, M]`; 0 or NaN where it has none."""
    if not between:
        boxes = floats(target["boxes"]).astype(np.float64)
        longer: Floats = (boxes[..., 2:] - boxes[..., :2]).max(axis=-1)
        return longer
    first, second = _places(between, points, truth.shape[2])
    ends = truth[:, :, [first, second]]
    length = np.linalg.norm(ends[:, :, 0, :2] - ends[:, :, 1, :2], axis=2)
    return np.where((ends[..., 2] > 0).all(axis=2), length, np.nan)


def _places(between: Sequence[str | int], points: Sequence[str] | None, count: int) -> tuple[int, int]:
    names = [str(name) for name in points or range(count)]
    wanted = [str(name) for name in between]
    if len(wanted) != 2 or wanted[0] == wanted[1]:
        raise ModelError(
            f"`between` names {', '.join(wanted)}",
            where="data.targets",
            why="a reference length is the distance of two points",
            fix="name two points, or leave `between` out to measure by the object's box",
        )
    for name in wanted:
        if name not in names:
            guess = closest(name, names)
            raise ModelError(
                f"there is no point {name!r}",
                where="data.targets",
                fix=f"did you mean {guess!r}?" if guess else f"the points are {', '.join(names)}",
            )
    return names.index(wanted[0]), names.index(wanted[1])
