"""Annotations turned along with a picture that EXIF holds upright."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from trainwright.data.objects import Keypoints, Objects, RunLengths, Segment
from trainwright.data.processors.image_bands import upright
from trainwright.data.run_lengths import from_mask, to_mask

TURNED = range(5, 9)
"""EXIF orientations that exchange height and width."""

Points = npt.NDArray[np.float64]


def turned_points(points: Points, orientation: int, size: tuple[int, int]) -> Points:
    """Where points `[..., 2]` of a stored picture lie once it is held upright.

    Args:
        points: x and y in pixels, (0, 0) the outer corner of the first pixel.
        orientation: As EXIF has it (CIPA DC-008, tag Orientation), 1 to 8.
        size: Height and width as stored.
    """
    height, width = size
    x, y = points[..., 0], points[..., 1]
    across, down = {
        2: (width - x, y),
        3: (width - x, height - y),
        4: (x, height - y),
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }.get(orientation, (x, y))
    return np.stack([across, down], axis=-1)


def turned(objects: Objects, orientation: int) -> Objects:
    """The objects of a stored picture, as objects of the upright one."""
    if orientation not in range(2, 9):
        return objects
    corners = turned_points(objects.boxes.reshape(-1, 2, 2), orientation, objects.size)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    projection = objects.projection
    if projection is not None:
        # Turning is affine: where the origin and the two axes go says everything.
        ends = turned_points(np.array([[0.0, 0], [1, 0], [0, 1]]), orientation, objects.size)
        matrix = np.column_stack([ends[1] - ends[0], ends[2] - ends[0], ends[0]])
        projection = np.vstack([matrix, [0, 0, 1]]) @ projection
    return replace(
        objects,
        size=objects.size[::-1] if orientation in TURNED else objects.size,
        boxes=boxes.reshape(-1, 4),
        segments=tuple(_segment(item, orientation, objects.size) for item in objects.segments),
        keypoints=_keypoints(objects.keypoints, orientation, objects.size),
        projection=projection,
    )


def _segment(segment: Segment | None, orientation: int, size: tuple[int, int]) -> Segment | None:
    if segment is None:
        return None
    if isinstance(segment, RunLengths):
        return from_mask(upright(to_mask(segment), orientation))
    if isinstance(segment, np.ndarray):
        return upright(segment, orientation)
    return tuple(turned_points(polygon, orientation, size) for polygon in segment)


def _keypoints(keypoints: Keypoints | None, orientation: int, size: tuple[int, int]) -> Keypoints | None:
    if keypoints is None:
        return None
    points = keypoints.points.copy()
    points[..., :2] = turned_points(points[..., :2], orientation, size)
    points[points[..., 2] == 0] = keypoints.points[points[..., 2] == 0]  # what is not there has no place
    return replace(keypoints, points=points)
