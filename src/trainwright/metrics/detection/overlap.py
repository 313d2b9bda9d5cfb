"""Intersection over union of boxes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def box_areas(boxes: npt.NDArray[np.floating]) -> Doubles:
    """Areas `[...]` of boxes `[..., 4]` (left, top, right, bottom); 0 where right is left of left."""
    sides = np.maximum(boxes[..., 2:].astype(np.float64) - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]


def box_overlaps(
    found: npt.NDArray[np.floating],
    true: npt.NDArray[np.floating],
    crowd: npt.NDArray[np.bool_] | None = None,
) -> Doubles:
    """Intersection over union of found boxes with true ones; for all pairs of both, add an axis to each.

    Args:
        found: `[..., 4]` as left, top, right, bottom.
        true: Likewise.
        crowd: `[...]`: true boxes around a group, for which the found box's own area is the union.

    Returns:
        float64 `[...]` in 0..1; 0 where the union is empty or a coordinate is NaN.
    """
    sides = np.minimum(found[..., 2:], true[..., 2:]).astype(np.float64)
    sides -= np.maximum(found[..., :2], true[..., :2])
    np.maximum(sides, 0, out=sides)
    shared = sides[..., 0] * sides[..., 1]
    own = box_areas(found)
    union = own + box_areas(true) - shared
    if crowd is not None:
        union = np.where(crowd, own, union)
    overlaps = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.nan_to_num(overlaps, copy=False, nan=0.0)
