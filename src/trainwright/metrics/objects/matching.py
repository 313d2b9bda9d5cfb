"""Which found object stands for which true one, as COCO's evaluation decides it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Floats, Ints


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


def iou(first: Floats, second: Floats) -> Floats:
    """Area of the intersection over that of the union, `[n, 4]` and `[m, 4]` to `[n, m]`; 0 for no area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None] - inside
    return np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)


def matched(found: Scene, true: Scene, threshold: float) -> Ints:
    """The true object that each found one stands for, -1 for none, int64 `[n]`.

    By falling score, each takes the free true object of its class that it overlaps most, if by
    `threshold` at least.
    """
    places = np.full(len(found.labels), -1, dtype=np.int64)
    if not len(found.labels) or not len(true.labels):
        return places
    overlap = iou(found.boxes, true.boxes)
    overlap[found.labels[:, None] != true.labels[None]] = -1
    for place in np.flatnonzero(overlap.max(axis=1) >= threshold).tolist():
        best = int(overlap[place].argmax())
        if overlap[place, best] >= threshold:
            places[place] = best
            overlap[:, best] = -1
    return places
