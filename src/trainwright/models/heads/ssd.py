"""Boxes from anchors of growing scale, one convolution per level, learned with hard negatives."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.data.types import TensorSpec
from trainwright.fields import Fraction, NonNegative, Positive, PositiveInt
from trainwright.models.heads.anchor_head import AnchorHead, BoxLoss, by_anchor, listed
from trainwright.models.heads.anchor_matching import BACKGROUND, AnchorMatches
from trainwright.models.heads.base import Features
from trainwright.models.heads.suppression import Suppression

TARGETS = ("boxes",)


class Ssd(AnchorHead):
    """Default boxes that grow level by level tell a class, or background, and the object's box (SSD).

    Liu et al., ECCV 2016, https://arxiv.org/abs/1512.02325. Of the background only the boxes that are most
    wrong are learned from, a few for every box that holds an object. Levels may differ in width: the neck
    `plain` is that of the paper.

    Args:
        target: What is learned.
        channels: Channels of the maps.
        strides: Pixels per cell of each map.
        image_size: Height and width; boxes end at the border.
        smallest: Side of the finest level's square, as a share of the picture's shorter side.
        largest: Side of the coarsest level's; those between grow evenly.
        ratios: Of the longer to the shorter side of the further default boxes, which lie and stand.
        positive: A default box learns an object that it overlaps by this much; the best one always does.
        negatives: Default boxes of the background that are learned from for each that learns an object; a
            picture without objects counts as one with one.
        box_loss: Of the codes (l1, smooth_l1), or of the overlap of the boxes.
        box_weight: Of it in the loss.
        candidates: Of each level that go into the suppression of doubles.
        least_score: Objects below this score are not told.
        overlap: Of two objects of a class that overlap by more than this the surer one is told.
        detections: Objects that are told per picture.
    """

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        image_size: tuple[int, int],
        *,
        smallest: Positive = 0.15,
        largest: Positive = 0.9,
        ratios: list[Annotated[float, Gt(1)]] = [2.0, 3.0],  # noqa: B006 - never changed
        positive: Fraction = 0.5,
        negatives: Annotated[float, Ge(0)] = 3.0,
        box_loss: BoxLoss = "smooth_l1",
        box_weight: NonNegative = 1.0,
        candidates: PositiveInt = 400,
        least_score: Fraction = 0.05,
        overlap: Fraction = 0.45,
        detections: PositiveInt = 100,
    ) -> None:
        shapes = default_shapes(len(strides), image_size, smallest, largest, ratios)
        super().__init__(
            strides,
            image_size,
            shapes,
            len(target.classes),
            positive=positive,
            negative=positive,
            box_loss=box_loss,
            box_weight=box_weight,
            code_scale=(10.0, 5.0),
            suppression=Suppression(candidates, least_score, overlap, detections),
        )
        self.negatives = negatives
        count, told = len(shapes[0]), len(target.classes) + 1
        self.classes = nn.ModuleList(nn.Conv2d(width, count * told, 3, padding=1) for width in channels)
        self.codes = nn.ModuleList(nn.Conv2d(width, count * 4, 3, padding=1) for width in channels)
        for layer in (*self.classes, *self.codes):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def maps(self, features: Features) -> tuple[list[Tensor], list[Tensor]]:
        """Logits `[B, A, 1 + C, h, w]`, background first, and codes `[B, A, 4, h, w]` of each level."""
        count = len(self.shapes[0])
        logits = [by_anchor(layer(map), count) for layer, map in zip(self.classes, features, strict=True)]
        return logits, [by_anchor(layer(map), count) for layer, map in zip(self.codes, features, strict=True)]

    def class_loss(self, logits: list[Tensor], matches: AnchorMatches) -> Tensor:
        """Cross-entropy of the default boxes with an object and of the most wrong ones without."""
        wanted = torch.where(matches.positive, matches.true_labels() + 1, 0)
        each = F.cross_entropy(listed(logits).transpose(1, 2), wanted, reduction="none")
        count = matches.positive.sum(1)
        hard = torch.where(matches.owner == BACKGROUND, each, 0.0).sort(1, descending=True).values
        rank = torch.arange(hard.shape[1], device=hard.device)
        taken = rank < self.negatives * count.clamp_min(1)[:, None]
        return torch.where(matches.positive, each, 0.0).sum(1) + torch.where(taken, hard, 0.0).sum(1)

    def scores(self, logits: Tensor) -> Tensor:
        """Probabilities of the classes beside that of the background."""
        return logits.softmax(-1)[..., 1:]


def default_shapes(
    levels: int, image_size: tuple[int, int], smallest: float, largest: float, ratios: list[float]
) -> list[Tensor]:
    """Width and height in pixels of each level's default boxes `[2 + 2 * len(ratios), 2]`.

    A square of the level's scale, one between that and the next scale, and the first one's area in each
    ratio, lying and standing; none is larger than the picture.
    """
    step = (largest - smallest) / max(levels - 1, 1)
    scales = [smallest + step * level for level in range(levels)] + [max(1.0, largest)]
    height, width = image_size
    found = []
    for scale, following in pairwise(scales):
        between = math.sqrt(scale * following)
        sides = [(scale, scale), (between, between)]
        for ratio in ratios:
            long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            sides += [(long, short), (short, long)]
        # On the CPU also where a model is built without memory: the numbers are read.
        shapes = torch.tensor(sides, device="cpu") * min(image_size)
        found.append(torch.minimum(shapes, torch.tensor([width, height], device="cpu")))
    return found
