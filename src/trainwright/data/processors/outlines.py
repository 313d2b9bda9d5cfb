"""From an object's outline to its pixels in the processed image: polygons, run lengths and masks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainwright.data.geometry import Placement
from trainwright.data.objects import Polygon, RunLengths, Segment
from trainwright.data.run_lengths import to_mask
from trainwright.data.types import BadSample
from trainwright.errors import MissingExtra

Mask = npt.NDArray[np.uint8]


def pixels_of(segment: Segment, placement: Placement, size: tuple[int, int]) -> Mask:
    """The pixels of an object, 0 or 1, uint8 `[H, W]` in the processed image.

    Polygons are moved, then filled as pycocotools fills them; run lengths and masks are resampled, each
    pixel taking the value of the nearest one.

    Args:
        segment: The outline, in the picture.
        placement: Where the picture's pixels go.
        size: Height and width of the picture.

    Raises:
        BadSample: The outline is damaged or belongs to a picture of another size.
    """
    if isinstance(segment, tuple):
        return _filled([placement.forward(np.asarray(polygon)) for polygon in segment], placement.size)
    if isinstance(segment, RunLengths):
        if len(segment.counts) and int(segment.counts.min()) < 0:
            raise BadSample("its run lengths are negative")
        if int(segment.counts.sum()) != segment.size[0] * segment.size[1]:
            raise BadSample("its run lengths do not fill the picture")
        mask = to_mask(segment)
    else:
        mask = np.asarray(segment, dtype=bool)
    if mask.shape != size:
        raise BadSample(f"its mask is {_by(mask.shape)}, the picture {_by(size)}")
    return nearest(mask.astype(np.uint8), placement, 0)


def nearest(values: np.ndarray, placement: Placement, border: int) -> np.ndarray:
    """Values `[h, w]` of a picture's pixels as those of the processed image, without mixing any two.

    Args:
        values: uint8 or int32.
        placement: Where the pixels go.
        border: Value where there is no picture.
    """
    x, y, across, down = placement.part
    image = Image.fromarray(np.ascontiguousarray(values))
    part = np.asarray(image.resize((across, down), Image.Resampling.NEAREST, box=placement.window))
    if placement.size == (down, across):
        return part
    result = np.full(placement.size, border, dtype=values.dtype)
    result[y : y + down, x : x + across] = part
    return result


def restored(values: np.ndarray, placement: Placement, size: tuple[int, int], border: int) -> np.ndarray:
    """The way back: values `[H, W]` of the processed image for every pixel of a picture of `size`."""
    rows, columns = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    x = np.floor(columns * placement.scale[0] + placement.shift[0]).astype(np.int64)
    y = np.floor(rows * placement.scale[1] + placement.shift[1]).astype(np.int64)
    left, top, across, down = placement.part
    inside = ((y >= top) & (y < top + down))[:, None] & ((x >= left) & (x < left + across))[None, :]
    picked = values[y.clip(0, values.shape[0] - 1)][:, x.clip(0, values.shape[1] - 1)]
    return np.where(inside, picked, np.array(border, dtype=values.dtype))


def pasted(crops: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> list[npt.NDArray[np.bool_]]:
    """Masks of a picture from those of boxes, bilinear between cells, inside from half on.

    Args:
        crops: uint8 `[n, h, w]`, how probable it is of each cell of a box, 255 for certain.
        boxes: Left, top, right, bottom in pixels `[n, 4]`.
        size: Height and width of the picture.
    """
    found = []
    for crop, (left, top, right, bottom) in zip(crops, boxes.tolist(), strict=True):
        mask = np.zeros(size, dtype=bool)
        (rows, down), (columns, across) = (
            _shares(first, last, length, cells)
            for first, last, length, cells in (
                (top, bottom, size[0], crop.shape[0]),
                (left, right, size[1], crop.shape[1]),
            )
        )
        mask[rows, columns] = down @ (crop / np.float32(255)) @ across.T > 0.5
        found.append(mask)
    return found


def _shares(first: float, last: float, length: int, cells: int) -> tuple[slice, npt.NDArray[np.float32]]:
    """The pixels whose middle lies between two edges, and how much each cell counts for each of them."""
    begin, end = (min(max(math.ceil(edge - 0.5), 0), length) for edge in (first, last))
    middles = np.arange(begin, end) + 0.5
    place = (middles - first) / max(last - first, 1e-6) * cells - 0.5
    place = place.clip(0, cells - 1)[:, None]
    return slice(begin, end), (1 - np.abs(place - np.arange(cells))).clip(0).astype(np.float32)


def _filled(polygons: list[Polygon], size: tuple[int, int]) -> Mask:
    coco = _pycocotools()
    height, width = size
    kept = []
    for polygon in polygons:
        if polygon.ndim != 2 or polygon.shape[1:] != (2,) or not np.isfinite(polygon).all():
            raise BadSample("its polygon holds points that are no pairs of numbers")
        # Far corners would cost memory without end; nearer ones are left to pycocotools, for equal pixels.
        limits = (-width, -height, 2.0 * width, 2.0 * height)
        near = polygon if _lies_within(polygon, limits) else _clipped(polygon, limits)
        if len(near) >= 3:
            kept.append(near.reshape(-1).tolist())
    if not kept:
        return np.zeros(size, dtype=np.uint8)
    mask: Mask = coco.decode(coco.merge(coco.frPyObjects(kept, height, width)))
    return mask


def _lies_within(polygon: Polygon, limits: tuple[float, float, float, float]) -> bool:
    return bool((polygon >= limits[:2]).all() and (polygon <= limits[2:]).all())


def _clipped(polygon: Polygon, limits: tuple[float, float, float, float]) -> Polygon:
    """The part of a polygon inside a rectangle (Sutherland and Hodgman, CACM 17(1), 1974)."""
    points = polygon
    for axis, limit, sign in ((0, limits[0], 1), (1, limits[1], 1), (0, limits[2], -1), (1, limits[3], -1)):
        if not len(points):
            break
        distance = sign * (points[:, axis] - limit)
        following, after = np.roll(points, -1, axis=0), np.roll(distance, -1)
        crosses = (distance >= 0) != (after >= 0)
        share = np.divide(distance, distance - after, out=np.zeros_like(distance), where=crosses)
        crossing = points + share[:, None] * (following - points)
        both = np.stack([points, crossing], axis=1).reshape(-1, 2)
        points = both[np.stack([distance >= 0, crosses], axis=1).reshape(-1)]
    return points


def _pycocotools() -> Any:
    try:
        from pycocotools import mask
    except ImportError:
        raise MissingExtra("pycocotools", "coco") from None
    return mask


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))
