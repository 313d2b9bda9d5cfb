"""Which proposals the second stage learns from, and what each of them is to say."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainwright.losses.boxes.overlap import overlap
from trainwright.models.heads.grid import finite, within


@dataclass(frozen=True)
class RegionSamples:
    """S regions of each of B images, those of an object first.

    Attributes:
        boxes: Left, top, right, bottom, float32 `[B, S, 4]`.
        labels: Class of the object, or the number of classes for background, int64 `[B, S]`.
        owner: Place of the object among the true ones, int64 `[B, S]`; 0 for background.
        true: The box of the object, float32 `[B, S, 4]`.
        positive: Whether there is an object, 0 or 1, float32 `[B, S]`.
        counted: Whether it counts at all, likewise: an image may have fewer candidates than S.
    """

    boxes: Tensor
    labels: Tensor
    owner: Tensor
    true: Tensor
    positive: Tensor
    counted: Tensor

    def first(self, count: int) -> RegionSamples:
        """The first regions of each image."""
        return RegionSamples(*(getattr(self, name)[:, :count] for name in self.__dataclass_fields__))


@torch.no_grad()
def sampled(
    proposals: Tensor,
    there: Tensor,
    boxes: Tensor,
    labels: Tensor,
    *,
    classes: int,
    image_size: tuple[int, int],
    count: int,
    positives: int,
    least_overlap: float,
) -> RegionSamples:
    """Chooses without chance: the surest proposals, of every object in turn.

    A proposal belongs to the object that it overlaps most, if by `least_overlap`. The objects take turns:
    first the surest proposal of each is chosen, then the second of each, and so on; their own boxes come
    last. Background is filled up with the surest proposals that belong to none. So what an image gives
    depends on nothing but the image.

    Args:
        proposals: `[B, P, 4]` by falling score.
        there: Which of them are any, bool `[B, P]`.
        boxes: True boxes `[B, M, 4]`.
        labels: Their classes `[B, M]`; no object where it is none of the classes.
        classes: Number of classes.
        image_size: Height and width, at which boxes end.
        count: Regions per image.
        positives: Most of them that have an object.
        least_overlap: Intersection over union.
    """
    boxes, labels = boxes.float(), labels
    if not boxes.shape[1]:
        boxes, labels = boxes.new_zeros((len(boxes), 1, 4)), labels.new_full((len(labels), 1), -1)
    boxes = within(finite(boxes), image_size)
    real = (labels >= 0) & (labels < classes) & (boxes[..., 2:] > boxes[..., :2]).all(-1)
    candidates = torch.cat([proposals.float(), boxes], 1)
    possible = torch.cat([there, real], 1)
    alike = overlap(candidates[:, :, None], boxes[:, None]) * real[:, None]
    best, owner = alike.max(2)
    positive = possible & (best >= least_overlap)
    chosen = _in_turns(positive, owner, boxes.shape[1], min(positives, count))
    places = _highest(chosen, possible & ~positive, count)
    known = chosen.gather(1, places) > 0
    counted = known | (possible & ~positive).gather(1, places)
    owner = torch.where(known, owner.gather(1, places), 0)
    four = owner[..., None].expand(-1, -1, 4)
    return RegionSamples(
        candidates.gather(1, places[..., None].expand(-1, -1, 4)),
        torch.where(known, labels.gather(1, owner), classes),
        owner,
        boxes.gather(1, four),
        known.float(),
        counted.float(),
    )


def _in_turns(positive: Tensor, owner: Tensor, objects: int, limit: int) -> Tensor:
    """Priority `[B, N]` of the chosen positives, 1 or more; 0 for all others."""
    size = positive.shape[1]
    mine = torch.nn.functional.one_hot(owner, objects) * positive[..., None]
    turn = mine.cumsum(1).gather(2, owner[..., None])[..., 0]
    # Unique: by turn, then by place; behind all others where it is no positive.
    key = torch.where(positive, turn * size + torch.arange(size, device=owner.device), size * (size + 1))
    rank = key.argsort(dim=1, stable=True).argsort(dim=1)
    return torch.where(positive & (rank < limit), size - rank, 0)


def _highest(chosen: Tensor, background: Tensor, count: int) -> Tensor:
    """Places `[B, S]`: the chosen, then background in its order, then what does not count."""
    size = chosen.shape[1]
    falling = torch.arange(size, 0, -1, device=chosen.device)
    priority = torch.where(chosen > 0, chosen + size, torch.where(background, falling, falling - size))
    return priority.topk(min(count, size), dim=1).indices
