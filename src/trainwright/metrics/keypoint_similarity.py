"""Object keypoint similarity (OKS), the measure by which COCO matches keypoints. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.errors import ModelError
from trainwright.metrics.arrays import Floats

COCO_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
    0.089, 0.089,
)  # fmt: skip
"""Spread of the annotators for COCO's 17 points of people, as shares of the root of the object's area."""


def point_sigmas(given: Sequence[float] | float | None, count: int) -> Floats:
    """A sigma per point: those of the recipe, one for all, or COCO's for its 17 points.

    Raises:
        ModelError: Another number of sigmas than points, or none for points that are not COCO's.
    """
    if given is None and count == len(COCO_SIGMAS):
        given = COCO_SIGMAS
    if given is None or (not isinstance(given, float | int) and len(given) != count):
        what = "none is given" if given is None else f"{len(given)} are given"
        raise ModelError(
            f"similarity of keypoints needs a sigma for each of the {count} points, and {what}",
            where="data.targets",
            why="COCO states them for its 17 points of people alone",
            fix="set `sigmas` to one number for all points (0.05 is middling) or to a list",
        )
    return np.broadcast_to(np.asarray(given, dtype=np.float64), (count,))


def keypoint_similarity(found: Any, truth: Any, areas: Any, boxes: Any, sigmas: Floats) -> Floats:
    """Similarity of found objects to true ones, in 0..1, as pycocotools' `computeOks` has it.

    The mean over the annotated points of exp(-d^2 / (2 area (2 sigma)^2)). Where no point is annotated, the
    distance is how far a point lies outside of the box of three times the width and height.

    Args:
        found: x, y (and anything) of the found points `[..., K, 2 or 3]`.
        truth: x, y, visibility of the true points `[..., K, 3]`.
        areas: Of the true objects `[...]`.
        boxes: Left, top, right, bottom of the true objects `[..., 4]`.
        sigmas: `[K]`.

    Returns:
        float64 `[...]`; for all pairs of D and M objects, `[D, 1, K, 3]` and `[1, M, K, 3]` give `[D, M]`.
    """
    places, real = (np.asarray(points, dtype=np.float64) for points in (found, truth))
    corners = np.asarray(boxes, dtype=np.float64)
    places, seen = places[..., :2], np.asarray(real[..., 2] > 0)
    bare = np.asarray(~seen.any(axis=-1, keepdims=True))
    extent = corners[..., 2:] - corners[..., :2]
    low, high = (corners[..., :2] - extent)[..., None, :], (corners[..., 2:] + extent)[..., None, :]
    beyond = np.maximum(0, low - places) + np.maximum(0, places - high)
    difference = np.where(bare[..., None], beyond, places - real[..., :2])
    counted = seen | bare
    scale = 2 * (2 * sigmas) ** 2 * (np.asarray(areas, dtype=np.float64)[..., None] + np.spacing(1))
    each = np.exp(-(difference**2).sum(axis=-1) / scale)
    similarity: Floats = (each * counted).sum(axis=-1) / counted.sum(axis=-1)
    return similarity
