"""Losses of a box by its overlap with the true one, boxes as left, top, right, bottom."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_EPS = 1e-7


def overlap(boxes: Tensor, true: Tensor) -> Tensor:
    """Intersection over union `[...]` of boxes `[..., 4]`, in 0..1; finite for boxes without an area."""
    return _overlap_and_union(boxes, true)[0]


def iou(boxes: Tensor, true: Tensor) -> Tensor:
    """1 - IoU. Its gradient is 0 where the boxes do not touch."""
    return 1 - overlap(boxes, true)


def giou(boxes: Tensor, true: Tensor) -> Tensor:
    """1 - IoU and the empty share of the smallest box around both.

    Rezatofighi et al., CVPR 2019, https://arxiv.org/abs/1902.09630.

    Args:
        boxes: `[..., 4]`.
        true: `[..., 4]`.

    Returns:
        `[...]` in 0..2.
    """
    share, union = _overlap_and_union(boxes, true)
    sides = _hull(boxes, true)
    hull = sides[..., 0] * sides[..., 1]
    return 1 - share + (hull - union) / (hull + _EPS)


def diou(boxes: Tensor, true: Tensor) -> Tensor:
    """1 - IoU and the squared distance of the centres over that of the corners of the box around both.

    Zheng et al., AAAI 2020, https://arxiv.org/abs/1911.08287.

    Args:
        boxes: `[..., 4]`.
        true: `[..., 4]`.

    Returns:
        `[...]` in 0..2.
    """
    return 1 - overlap(boxes, true) + _distance(boxes, true)


def ciou(boxes: Tensor, true: Tensor) -> Tensor:
    """`diou`, and a term for the ratio of the sides (same paper).

    Args:
        boxes: `[..., 4]`.
        true: `[..., 4]`.

    Returns:
        `[...]`, 0 for equal boxes.
    """
    share = overlap(boxes, true)
    across, down = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
    true_across, true_down = (true[..., 2:] - true[..., :2]).unbind(-1)
    # atan2, because a box without height has a direction, too.
    turn = torch.atan2(true_across, true_down) - torch.atan2(across, down)
    ratio = 4 / math.pi**2 * turn.square()
    with torch.no_grad():
        alpha = ratio / (1 - share + ratio + _EPS)
    return 1 - share + _distance(boxes, true) + alpha * ratio


def _overlap_and_union(boxes: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    sides = torch.minimum(boxes[..., 2:], true[..., 2:]) - torch.maximum(boxes[..., :2], true[..., :2])
    sides = sides.clamp_min(0)
    shared = sides[..., 0] * sides[..., 1]
    union = _area(boxes) + _area(true) - shared
    return shared / (union + _EPS), union


def _area(boxes: Tensor) -> Tensor:
    sides = boxes[..., 2:] - boxes[..., :2]
    return sides[..., 0] * sides[..., 1]


def _hull(boxes: Tensor, true: Tensor) -> Tensor:
    """Sides `[..., 2]` of the smallest box around both."""
    return torch.maximum(boxes[..., 2:], true[..., 2:]) - torch.minimum(boxes[..., :2], true[..., :2])


def _distance(boxes: Tensor, true: Tensor) -> Tensor:
    apart = (boxes[..., :2] + boxes[..., 2:] - true[..., :2] - true[..., 2:]) / 2
    return apart.square().sum(-1) / (_hull(boxes, true).square().sum(-1) + _EPS)
