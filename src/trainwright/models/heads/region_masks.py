"""Masks between the picture and the boxes of its objects."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_POINTS = 2  # per cell and axis


@torch.no_grad()
def cropped(masks: Tensor, owner: Tensor, boxes: Tensor, image_size: tuple[int, int], cells: int) -> Tensor:
    """The part of an object's mask within a box: 1 where half of a cell's points or more are the object's.

    Args:
        masks: uint8 `[B, M, h, w]` of the whole image, at any resolution.
        owner: Which of them is looked at, int64 `[B, S]`.
        boxes: Left, top, right, bottom `[B, S, 4]` in pixels of the image.
        image_size: Height and width of the image in pixels.
        cells: Across and down of what is returned.

    Returns:
        float32 `[B, S, cells, cells]`.
    """
    if not masks.shape[1]:
        return boxes.new_zeros((*boxes.shape[:2], cells, cells))
    rows, columns = (
        _points(boxes[..., axis], boxes[..., axis + 2], cells * _POINTS, count, masks.shape[2 + place])
        for axis, count, place in ((1, image_size[0], 0), (0, image_size[1], 1))
    )
    flat = (owner[..., None] * masks.shape[2] + rows)[..., :, None] * masks.shape[3] + columns[..., None, :]
    found = masks.flatten(1).gather(1, flat.flatten(1)).view_as(flat)
    return (F.avg_pool2d(found.float(), _POINTS) >= 0.5).float()


def _points(first: Tensor, last: Tensor, count: int, length: int, cells: int) -> Tensor:
    """Numbers `[B, S, count]` of the pixels at evenly spread points of a stretch, `cells` pixels in all."""
    share = (torch.arange(count, device=first.device) + 0.5) / count
    places = first[..., None] + share * (last - first)[..., None]
    return (places * (cells / length)).floor().long().clamp(0, cells - 1)


def pasted(
    crops: Tensor, boxes: Tensor, size: tuple[int, int], image_size: tuple[int, int] | None = None
) -> Tensor:
    """Masks of the whole image from those of boxes, bilinear between cells, inside from 0.5 on.

    Args:
        crops: Probabilities `[n, cells, cells]`.
        boxes: `[n, 4]` in pixels of the image.
        size: Height and width of what is returned.
        image_size: Of the image in pixels; the same when absent.

    Returns:
        bool `[n, h, w]`.
    """
    high, wide = image_size or size
    down = _shares(boxes[:, 1] * (size[0] / high), boxes[:, 3] * (size[0] / high), size[0], crops.shape[1])
    across = _shares(boxes[:, 0] * (size[1] / wide), boxes[:, 2] * (size[1] / wide), size[1], crops.shape[2])
    return down @ crops @ across.transpose(1, 2) > 0.5


def _shares(first: Tensor, last: Tensor, length: int, cells: int) -> Tensor:
    """How much each of the cells between two edges counts for each pixel `[n, length, cells]`."""
    middles = torch.arange(length, device=first.device) + 0.5
    inside = (middles >= first[:, None]) & (middles < last[:, None])
    place = (middles - first[:, None]) / (last - first).clamp_min(1e-6)[:, None] * cells - 0.5
    place = place.clamp(0, cells - 1)[..., None]
    near = (1 - (place - torch.arange(cells, device=first.device)).abs()).clamp_min(0)
    return near * inside[..., None]


def mask_overlaps(found: Tensor, true: Tensor) -> Tensor:
    """Intersection over union `[n, m]` of masks bool `[n, h, w]` and `[m, h, w]`; 0 of empty ones."""
    one, other = found.flatten(1).float(), true.flatten(1).float()
    shared = one @ other.T
    union = one.sum(1)[:, None] + other.sum(1) - shared
    return shared / union.clamp_min(1)
