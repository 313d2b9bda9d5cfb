"""Boxes from anchors of one sigmoid per class, learned with the focal loss."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import Fraction, NonNegative, NonNegativeInt, Positive, PositiveInt
from trainwright.losses.boxes.confidence import absent, present
from trainwright.models.heads.anchor_head import AnchorHead, BoxLoss, by_anchor
from trainwright.models.heads.anchor_matching import NEITHER, AnchorMatches
from trainwright.models.heads.anchors import shapes_of
from trainwright.models.heads.base import Features
from trainwright.models.heads.suppression import Suppression
from trainwright.models.heads.tower import one_width, prior_bias, start, tower

TARGETS = ("boxes",)


class RetinaNet(AnchorHead):
    """Anchors of several sizes and ratios in every cell tell class and box of their object (RetinaNet).

    Lin et al., ICCV 2017, https://arxiv.org/abs/1708.02002.

    Args:
        target: What is learned.
        channels: Channels of the maps, the same for all.
        strides: Pixels per cell of each map.
        image_size: Height and width; boxes end at the border.
        sizes: Sides of the square anchors, in cells of their level.
        ratios: Height / width; an anchor of every ratio has the area of every square.
        depth: 3x3 convolutions in front of the outputs, one row for classes and one for boxes.
        norm: Behind each of them.
        positive: An anchor learns a box that it overlaps by this much; the best anchor of a box always does.
        negative: Anchors that overlap all boxes by less than this are background, those in between nothing.
        box_loss: Of the codes (l1, smooth_l1), or of the overlap of the boxes.
        box_weight: Of it in the loss.
        alpha: Share of the focal loss that objects have, against background.
        gamma: How much less a sure answer counts in the focal loss.
        candidates: Of each level that go into the suppression of doubles.
        least_score: Objects below this score are not told.
        overlap: Of two objects of a class that overlap by more than this the surer one is told.
        detections: Objects that are told per picture.

    Raises:
        ModelError: Maps of different width, or `negative` above `positive`.
    """

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        image_size: tuple[int, int],
        *,
        sizes: list[Positive] = [4.0, 5.04, 6.35],  # noqa: B006 - never changed
        ratios: list[Positive] = [0.5, 1.0, 2.0],  # noqa: B006 - never changed
        depth: NonNegativeInt = 4,
        norm: Literal["group", "none"] = "group",
        positive: Fraction = 0.5,
        negative: Fraction = 0.4,
        box_loss: BoxLoss = "l1",
        box_weight: NonNegative = 1.0,
        alpha: Fraction = 0.25,
        gamma: NonNegative = 2.0,
        candidates: PositiveInt = 1000,
        least_score: Fraction = 0.05,
        overlap: Fraction = 0.5,
        detections: PositiveInt = 100,
    ) -> None:
        width = one_width(channels, "retinanet")
        if negative > positive:
            raise ModelError(
                f"an overlap below {negative:g} is background, and one of {positive:g} is an object",
                where=".negative",
                fix="give `negative` at most the value of `positive`",
            )
        shapes = [shapes_of([size * stride for size in sizes], ratios) for stride in strides]
        super().__init__(
            strides,
            image_size,
            shapes,
            len(target.classes),
            positive=positive,
            negative=negative,
            box_loss=box_loss,
            box_weight=box_weight,
            code_scale=(1.0, 1.0),
            suppression=Suppression(candidates, least_score, overlap, detections),
        )
        self.alpha, self.gamma = alpha, gamma
        self.class_tower, self.box_tower = tower(width, depth, norm), tower(width, depth, norm)
        self.classes = nn.Conv2d(width, len(shapes[0]) * len(target.classes), 3, padding=1)
        self.codes = nn.Conv2d(width, len(shapes[0]) * 4, 3, padding=1)
        for layer in (self.classes, self.codes):
            start(layer)
        assert self.classes.bias is not None
        nn.init.constant_(self.classes.bias, prior_bias(0.01))

    def maps(self, features: Features) -> tuple[list[Tensor], list[Tensor]]:
        """Logits `[B, A, C, h, w]` and codes `[B, A, 4, h, w]` of each level."""
        count = len(self.shapes[0])
        logits = [by_anchor(self.classes(self.class_tower(map)), count) for map in features]
        return logits, [by_anchor(self.codes(self.box_tower(map)), count) for map in features]

    def class_loss(self, logits: list[Tensor], matches: AnchorMatches) -> Tensor:
        """Focal loss: all anchors are to say no to all classes but that of their own box."""
        sizes = [level[:, :, 0].numel() // len(level) for level in logits]
        owners, labels = matches.owner.split(sizes, 1), matches.true_labels().split(sizes, 1)
        total = torch.zeros(len(matches.owner), device=matches.owner.device)
        for level, owner, label in zip(logits, owners, labels, strict=True):
            places = level[:, :, 0].shape
            own = level.gather(2, label.view(places)[:, :, None])[:, :, 0]
            counts = (owner != NEITHER).view(places)[:, :, None]
            no = (absent(level, self.gamma) * counts).sum((1, 2, 3, 4))
            yes = self.alpha * present(own, self.gamma) - (1 - self.alpha) * absent(own, self.gamma)
            yes = torch.where(owner.view(places) >= 0, yes, 0.0).sum((1, 2, 3))
            total = total + (1 - self.alpha) * no + yes
        return total

    def scores(self, logits: Tensor) -> Tensor:
        """A sigmoid for each class."""
        return logits.sigmoid()
