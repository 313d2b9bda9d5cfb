"""Which anchors learn which box."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainwright.models.heads.anchors import Anchors
from trainwright.models.heads.grid import finite

BACKGROUND, NEITHER = -1, -2

# Overlaps of boxes with anchors that are held at a time: 64 MiB of them. Images beyond it take their turn.
_MOST_OVERLAPS = 1 << 24
_TOUCHING = 1e-12


@dataclass(frozen=True)
class AnchorMatches:
    """What N anchors learn of M boxes of each of B images.

    Attributes:
        owner: Place of the box that each anchor learns, BACKGROUND, or NEITHER where it learns nothing, int64
            `[B, N]`.
        boxes: The boxes, float32 `[B, M, 4]`, finite; M is at least 1.
        labels: Their classes, -1 where there is no box, int64 `[B, M]`.
    """

    owner: Tensor
    boxes: Tensor
    labels: Tensor

    @property
    def positive(self) -> Tensor:
        """Whether an anchor learns a box, bool `[B, N]`."""
        return self.owner >= 0

    @property
    def unowned(self) -> Tensor:
        """Boxes that no anchor learns, without an area or covered by others, bool `[B, M]`."""
        learners = self.owner.new_zeros((len(self.owner), self.boxes.shape[1] + 1))
        # Anchors without a box are counted in a place of their own.
        places = torch.where(self.positive, self.owner, self.boxes.shape[1])
        learners.scatter_add_(1, places, torch.ones_like(places))
        return (self.labels >= 0) & (learners[:, :-1] == 0)

    def true_boxes(self) -> Tensor:
        """The box of each anchor `[B, N, 4]`, any where it learns none."""
        return self.boxes.gather(1, self.owner.clamp_min(0)[..., None].expand(-1, -1, 4))

    def true_labels(self) -> Tensor:
        """Class of each anchor's box, int64 `[B, N]`, 0 where it learns none."""
        return torch.where(self.positive, self.labels.gather(1, self.owner.clamp_min(0)), 0)


@torch.no_grad()
def match(
    boxes: Tensor, labels: Tensor, anchors: Anchors, *, positive: float, negative: float
) -> AnchorMatches:
    """Finds the box of every anchor.

    An anchor learns the box that it overlaps most, if by `positive` or more, and is background below
    `negative`. The anchors that overlap a box more than all others do learn it in any case, so that none is
    lost.

    Args:
        boxes: `[B, M, 4]` in pixels.
        labels: `[B, M]`, -1 where there is no box.
        anchors: The anchors.
        positive: Intersection over union.
        negative: Not above it.
    """
    if not boxes.shape[1]:
        boxes, labels = boxes.new_zeros((len(boxes), 1, 4)), labels.new_full((len(boxes), 1), -1)
    boxes = finite(boxes)
    at_a_time = max(1, _MOST_OVERLAPS // (boxes.shape[1] * anchors.starts[-1]))
    owner = torch.cat(
        [
            _owners(some, there, anchors, positive, negative)
            for some, there in zip(boxes.split(at_a_time), (labels >= 0).split(at_a_time), strict=True)
        ]
    )
    return AnchorMatches(owner, boxes, labels)


def overlaps(boxes: Tensor, there: Tensor, anchors: Anchors) -> Tensor:
    """Intersection over union of boxes with anchors.

    The anchors of a shape differ by their row and column alone: widths and heights of what is shared are few.

    Args:
        boxes: `[B, M, 4]`.
        there: Whether there is a box, bool `[B, M]`.
        anchors: N.

    Returns:
        `[B, M, N]`, 0 without a box.
    """
    area = (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(-1)
    found = boxes.new_empty((*boxes.shape[:2], anchors.starts[-1]))
    for level, shapes in enumerate(anchors.shapes):
        x, y = anchors.grid.axes(level)
        across = _shared(boxes[..., 0::2], x, shapes[:, 0]) * there[..., None, None]
        down = _shared(boxes[..., 1::2], y, shapes[:, 1])
        part = found[..., anchors.starts[level] : anchors.starts[level + 1]]
        shared = part.unflatten(2, (len(shapes), len(y), len(x)))
        torch.mul(across[..., None, :], down[..., :, None], out=shared)
        both = area[..., None] + shapes.prod(-1)
        shared.div_(both[..., None, None] - shared)
    return found


def _shared(sides: Tensor, middles: Tensor, lengths: Tensor) -> Tensor:
    """What stretches `[B, M, 2]` share with those of lengths `[A]` around points `[n]`: `[B, M, A, n]`."""
    low, high = middles - lengths[:, None] / 2, middles + lengths[:, None] / 2
    first, last = sides[..., 0, None, None], sides[..., 1, None, None]
    return (torch.minimum(last, high) - torch.maximum(first, low)).clamp_min(0)


def _owners(boxes: Tensor, there: Tensor, anchors: Anchors, positive: float, negative: float) -> Tensor:
    found = overlaps(boxes, there, anchors)
    # A box that touches no anchor has none that is its best.
    best = found.amax(2, keepdim=True).clamp_min(_TOUCHING)
    # Above all others: the best anchors of a box are its own, whatever else they overlap.
    found += 2.0 * (found >= best)
    most, owner = found.max(1)
    owner = torch.where(most >= positive, owner, NEITHER)
    return torch.where(most < negative, BACKGROUND, owner)
