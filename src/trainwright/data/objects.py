"""What is annotated in one picture: the one form in which every annotation format arrives. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

OBJECT_TYPES = ("boxes", "boxes3d", "instances", "keypoints")
"""Column types that are made of the objects of a picture."""

Polygon = npt.NDArray[np.float64]
"""Corner points `[P, 2]` as x, y in pixels; the last one joins the first."""


@dataclass(frozen=True)
class RunLengths:
    """A binary mask as alternating counts of 0 and 1, down the columns, the first one of 0 (COCO's RLE).

    Attributes:
        size: Height and width.
        counts: Lengths of the runs, int64; they add up to height times width.
    """

    size: tuple[int, int]
    counts: npt.NDArray[np.int64]


Segment = tuple[Polygon, ...] | RunLengths | npt.NDArray[np.bool_]
"""The outline of one object: polygons whose union it is, run lengths, or a mask `[H, W]`."""


@dataclass(frozen=True)
class Keypoints:
    """Named points of all objects of a picture.

    Attributes:
        points: x, y in pixels and visibility, float64 `[n, K, 3]`: 0 not annotated (x and y mean
            nothing), 1 annotated but hidden, 2 visible.
        names: Names of the K points.
        mirrored: For each point its place in a mirror image: left and right change places.
        edges: Pairs of points that are drawn joined.
    """

    points: npt.NDArray[np.float64]
    names: tuple[str, ...]
    mirrored: tuple[int, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Objects:
    """The n annotated objects of one picture.

    Coordinates are pixels of the picture as it is meant to be seen, with its EXIF orientation applied:
    x to the right, y down, (0, 0) the outer corner of the first pixel, so that a box around the whole
    picture is (0, 0, width, height). Nothing is clipped or dropped here: sources record what the file
    says, the gate tells what is wrong with it, processors clip.

    Attributes:
        size: Height and width of the picture, as the annotation states it or its header does.
        labels: Class name per object.
        boxes: Left, top, right, bottom, float64 `[n, 4]`.
        segments: Outline per object, None where it has none; empty where no object has one.
        keypoints: Points per object.
        crowd: Whether an object stands for a group that is not told apart, bool `[n]`.
        names: Where each object stands, for messages: `annotations.json: annotation 17`, `a.txt:3`.
        projection: The camera's matrix from metres (x to the right, y down, z forward) to pixels of the
            picture, float64 `[3, 4]`.
        extra: Further numbers per object by name, float64 `[n]` or `[n, k]`: `area`, `score`,
            `difficult`, `box3d` (centre x, y, z in metres, height, width, length, yaw), ...
    """

    size: tuple[int, int]
    labels: tuple[str, ...]
    boxes: npt.NDArray[np.float64]
    segments: tuple[Segment | None, ...] = ()
    keypoints: Keypoints | None = None
    crowd: npt.NDArray[np.bool_] | None = None
    names: Sequence[str] = ()
    projection: npt.NDArray[np.float64] | None = None
    extra: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)
