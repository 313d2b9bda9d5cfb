"""The objects of one picture, and which found one stands for which true one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

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
        overlaps: How found objects overlap the true ones of the picture `[n, m]`, such as by their masks; by
            their boxes when None.
    """

    boxes: Floats
    labels: Ints
    scores: Floats
    overlaps: Floats | None = None

    def chosen(self, places: Any) -> Scene:
        """Some of the objects, by place or flag."""
        overlaps = None if self.overlaps is None else self.overlaps[places]
        return Scene(self.boxes[places], self.labels[places], self.scores[places], overlaps)

    def of_one_class(self) -> Scene:
        """The same objects, of whatever class."""
        return replace(self, labels=np.zeros_like(self.labels))

    def overlapping(self, true: Scene) -> Floats:
        """Intersection over union `[n, m]` with the true objects."""
        if not len(self.labels) or not len(true.labels):
            return np.zeros((len(self.labels), len(true.labels)))
        if self.overlaps is not None:
            return self.overlaps
        return box_overlaps(self.boxes[:, None], true.boxes[None])


def matched(found: Scene, true: Scene, threshold: float) -> Ints:
    """The true object that each found one stands for, -1 for none, int64 `[n]`.

    By falling score, each takes the free true object of its class that it overlaps most, if by
    `threshold` at least.
    """
    places = np.full(len(found.labels), -1, dtype=np.int64)
    if not len(found.labels) or not len(true.labels):
        return places
    overlap = np.where(found.labels[:, None] == true.labels[None], found.overlapping(true), -1)
    for place in np.flatnonzero(overlap.max(axis=1) >= threshold).tolist():
        best = int(overlap[place].argmax())
        if overlap[place, best] >= threshold:
            places[place] = best
            overlap[:, best] = -1
    return places
