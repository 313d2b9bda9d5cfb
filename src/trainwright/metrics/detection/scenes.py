"""The objects of one picture, and which found one stands for which true one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Floats, Ints
from trainwright.metrics.detection.overlap import box_overlaps


@dataclass(frozen=True)
class Scene:
    """The objects of one picture.

    Attributes:
        boxes: Left, top, right, bottom `[n, 4]`.
        labels: Class ids int64 `[n]`.
        scores: Of found objects, falling `[n]`; ones for true objects.
    """

    boxes: Floats
    labels: Ints
    scores: Floats


def matched(found: Scene, true: Scene, threshold: float) -> Ints:
    """The true object that each found one stands for, -1 for none, int64 `[n]`.

    By falling score, each takes the free true object of its class that it overlaps most, if by
    `threshold` at least.
    """
    places = np.full(len(found.labels), -1, dtype=np.int64)
    if not len(found.labels) or not len(true.labels):
        return places
    overlap = box_overlaps(found.boxes[:, None], true.boxes[None])
    overlap[found.labels[:, None] != true.labels[None]] = -1
    for place in np.flatnonzero(overlap.max(axis=1) >= threshold).tolist():
        best = int(overlap[place].argmax())
        if overlap[place, best] >= threshold:
            places[place] = best
            overlap[:, best] = -1
    return places
