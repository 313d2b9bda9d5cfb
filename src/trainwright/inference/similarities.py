"""How found objects are alike to the true ones of their picture, where boxes do not decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainwright.metrics.arrays import Floats, Ints
from trainwright.metrics.detection.boxes_in_space import volume_overlaps
from trainwright.metrics.detection.overlap import box_areas
from trainwright.metrics.keypoint_similarity import COCO_SIGMAS, keypoint_similarity, point_sigmas

MIDDLING = 0.05
"""Spread of annotators for points that are not COCO's, which states one for its own alone."""


def similarities(
    type: str, answer: Mapping[str, Any], truth: Mapping[str, Any], sample: int, rows: Ints, columns: Ints
) -> Floats | None:
    """Similarity `[n, m]` of the found objects of a sample to its true ones.

    Args:
        type: Of the target: masks are compared by their overlap, points by OKS, boxes in space by the overlap
            of their volumes.
        answer: What was found, by name.
        truth: The truth likewise.
        sample: Place of the sample.
        rows: Rows of the answer that hold an object `[n]`.
        columns: Rows of the truth that do `[m]`.

    Returns:
        None where the boxes in the picture decide.
    """
    if "similarity" in answer:
        return _of(answer, "similarity", sample)[np.ix_(rows, columns)]
    if type == "boxes3d":
        found, true = _of(answer, "boxes3d", sample)[rows], _of(truth, "boxes3d", sample)[columns]
        return volume_overlaps(found[:, None], true[None])
    if type == "keypoints":
        found, true = _of(answer, "points", sample)[rows], _of(truth, "points", sample)[columns]
        boxes = _of(truth, "boxes", sample)[columns]
        sigmas = point_sigmas(None if true.shape[1] == len(COCO_SIGMAS) else MIDDLING, true.shape[1])
        return keypoint_similarity(found[:, None], true[None], box_areas(boxes), boxes, sigmas)
    return None


def _of(parts: Mapping[str, Any], name: str, sample: int) -> Floats:
    array: Floats = parts[name][sample].double().numpy()
    return array
