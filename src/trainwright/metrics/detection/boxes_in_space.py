"""Overlap and distance of boxes in space that stand upright.

A box is x, y, z of its centre (x to the right, y down, z forward), height, width, length, and yaw around y:
its length lies along (cos yaw, 0, -sin yaw), as in KITTI. Seen from above it is a rectangle in x and z.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
_TOGETHER = 1 << 15  # pairs that are looked at together: 24 points each
_INSIDE = 1e-9  # of a rectangle's own size, by which a corner may lie outside and counts as inside


def corners_in_space(boxes: npt.NDArray[np.floating]) -> Doubles:
    """The eight corners of boxes `[..., 7]` as `[..., 8, 3]`: the four of the bottom, then those above them.

    Of each four the first two are the front, where the length points to.
    """
    exact: Doubles = np.asarray(boxes, dtype=np.float64)
    flat = _rectangles(exact)
    flat = np.concatenate([flat, flat], axis=-2)
    # y points down.
    half = np.repeat([0.5, -0.5], 4) * exact[..., 3:4] + exact[..., 1:2]
    return np.stack([flat[..., 0], half, flat[..., 1]], axis=-1)


def ground_overlaps(found: npt.NDArray[np.floating], true: npt.NDArray[np.floating]) -> Doubles:
    """Intersection over union as seen from above of boxes `[..., 7]` with others, in 0..1 `[...]`."""
    one, other = _pairs(found, true)
    shared = _shared_ground(one, other)
    return _ratio(shared, _ground(one) + _ground(other) - shared)


def volume_overlaps(found: npt.NDArray[np.floating], true: npt.NDArray[np.floating]) -> Doubles:
    """Intersection over union of the volumes of boxes `[..., 7]` with others, in 0..1 `[...]`."""
    one, other = _pairs(found, true)
    top = np.maximum(one[..., 1] - one[..., 3] / 2, other[..., 1] - other[..., 3] / 2)
    bottom = np.minimum(one[..., 1] + one[..., 3] / 2, other[..., 1] + other[..., 3] / 2)
    shared = _shared_ground(one, other) * np.maximum(bottom - top, 0)
    first, second = (_ground(boxes) * np.maximum(boxes[..., 3], 0) for boxes in (one, other))
    return _ratio(shared, first + second - shared)


def ground_distances(found: npt.NDArray[np.floating], true: npt.NDArray[np.floating]) -> Doubles:
    """Distance of the centres as seen from above in metres `[...]`, of boxes `[..., 7]`; infinite for NaN."""
    apart = np.asarray(found, np.float64)[..., [0, 2]] - np.asarray(true, np.float64)[..., [0, 2]]
    return np.nan_to_num(np.linalg.norm(apart, axis=-1), nan=np.inf)


def _pairs(found: npt.NDArray[np.floating], true: npt.NDArray[np.floating]) -> tuple[Doubles, Doubles]:
    """Both in float64 and of one shape."""
    one, other = np.broadcast_arrays(found, true)
    return one.astype(np.float64), other.astype(np.float64)


def _ratio(shared: Doubles, union: Doubles) -> Doubles:
    found = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.clip(np.nan_to_num(found, nan=0.0), 0, 1)


def _ground(boxes: Doubles) -> Doubles:
    sides: Doubles = np.maximum(boxes[..., 4:6], 0).prod(axis=-1)
    return sides


def _rectangles(boxes: Doubles) -> Doubles:
    """The corners seen from above, x and z `[..., 4, 2]`, one after the other around the box."""
    cosine, sine = np.cos(boxes[..., 6]), np.sin(boxes[..., 6])
    ahead = np.stack([cosine, -sine], axis=-1) * boxes[..., 5:6] / 2
    aside = np.stack([sine, cosine], axis=-1) * boxes[..., 4:5] / 2
    corners = np.stack([ahead + aside, ahead - aside, -ahead - aside, -ahead + aside], axis=-2)
    return corners + boxes[..., None, [0, 2]]


def _shared_ground(first: Doubles, second: Doubles) -> Doubles:
    """Area that two rectangles share `[...]`; 0 at once of those that are too far apart."""
    shape = first.shape[:-1]
    first, second = first.reshape(-1, 7), second.reshape(-1, 7)
    radii = [np.hypot(box[:, 4], box[:, 5]) / 2 for box in (first, second)]
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(ground_distances(first, second) < radii[0] + radii[1])
    area = np.zeros(len(first))
    for start in range(0, len(near), _TOGETHER):
        part = near[start : start + _TOGETHER]
        area[part] = _intersections(first[part], second[part])
    return area.reshape(shape)


def _intersections(first: Doubles, second: Doubles) -> Doubles:
    """Area that two rectangles share `[P]`, of boxes `[P, 7]`.

    What they share is convex. Its corners are among the corners of each that lie in the other one and the
    points where sides cross: 24 in all, which are put in order around their middle.
    """
    first, second = first.copy(), second.copy()
    # Far from the origin the areas would be differences of large numbers.
    origin = first[:, :3].copy()
    first[:, :3] -= origin
    second[:, :3] -= origin
    one, other = _rectangles(first), _rectangles(second)
    crossings, cross = _crossings(one, other)
    points = np.concatenate([one, other, crossings], axis=1)
    there = np.concatenate([_within(one, second), _within(other, first), cross], axis=1)
    count = np.maximum(there.sum(axis=1), 1)[:, None]
    middle = np.where(there[..., None], points, 0).sum(axis=1) / count
    around = points - middle[:, None]
    # A point that is none takes the place of one that is, and adds no area.
    known = np.take_along_axis(around, there.argmax(axis=1)[:, None, None], axis=1)
    around = np.where(there[..., None], around, known)
    order = np.arctan2(around[..., 1], around[..., 0]).argsort(axis=1)
    ring = np.take_along_axis(around, order[..., None], axis=1)
    following = np.roll(ring, -1, axis=1)
    doubled = ring[..., 0] * following[..., 1] - ring[..., 1] * following[..., 0]
    area: Doubles = np.where(there.any(axis=1), np.abs(doubled.sum(axis=1)) / 2, 0.0)
    return area


def _within(points: Doubles, boxes: Doubles) -> npt.NDArray[np.bool_]:
    """Whether points `[P, K, 2]` lie in the rectangle of boxes `[P, 7]`, sides included, `[P, K]`."""
    away = points - boxes[:, None, [0, 2]]
    cosine, sine = np.cos(boxes[:, 6])[:, None], np.sin(boxes[:, 6])[:, None]
    ahead = away[..., 0] * cosine - away[..., 1] * sine
    aside = away[..., 0] * sine + away[..., 1] * cosine
    long, wide = boxes[:, None, 5] / 2, boxes[:, None, 4] / 2
    margin = _INSIDE * (long + wide)
    inside: npt.NDArray[np.bool_] = (np.abs(ahead) <= long + margin) & (np.abs(aside) <= wide + margin)
    return inside


def _crossings(one: Doubles, other: Doubles) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    """Where the sides of rectangles `[P, 4, 2]` cross: points `[P, 16, 2]`, and whether they do."""
    start, along = one[:, :, None], (np.roll(one, -1, axis=1) - one)[:, :, None]
    begin, across = other[:, None], (np.roll(other, -1, axis=1) - other)[:, None]
    slope = along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0]
    gap = begin - start
    with np.errstate(invalid="ignore", divide="ignore"):
        # Sides that are nearly parallel cross at corners, if at all, and these are points already.
        parallel = np.abs(slope) <= 1e-12 * np.linalg.norm(along, axis=-1) * np.linalg.norm(across, axis=-1)
        t = (gap[..., 0] * across[..., 1] - gap[..., 1] * across[..., 0]) / slope
        u = (gap[..., 0] * along[..., 1] - gap[..., 1] * along[..., 0]) / slope
    cross = ~parallel & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
    points = start + np.where(cross, t, 0.0)[..., None] * along
    return points.reshape(len(one), 16, 2), cross.reshape(len(one), 16)
