"""What heads with anchors have in common: matching, the loss of the boxes, the answer."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from trainwright.losses.boxes import OVERLAP_LOSSES
from trainwright.models.heads.anchor_matching import AnchorMatches, match
from trainwright.models.heads.anchors import Anchors, decoded, encoded
from trainwright.models.heads.base import Features, Head
from trainwright.models.heads.grid import grid_of, within
from trainwright.models.heads.suppression import Suppression, best_of_levels

BoxLoss: TypeAlias = Literal["l1", "smooth_l1", "iou", "giou", "diou", "ciou"]


class AnchorHead(Head):
    """Every anchor tells which class of object it holds, and how the object's box differs from it.

    Args:
        strides: Pixels per cell of each map.
        image_size: Height and width; boxes end at the border.
        shapes: Width and height in pixels of each level's anchors `[A, 2]`.
        classes: Number of classes.
        positive: An anchor learns a box that it overlaps by this much.
        negative: Anchors that overlap all boxes by less than this are background.
        box_loss: Of the codes (l1, smooth_l1), or of the overlap of the boxes.
        box_weight: Of it in the loss.
        code_scale: What a shift and the logarithm of a side are multiplied by where they are learned.
        suppression: From candidates to answers.
    """

    def __init__(
        self,
        strides: tuple[int, ...],
        image_size: tuple[int, int],
        shapes: list[Tensor],
        classes: int,
        *,
        positive: float,
        negative: float,
        box_loss: BoxLoss,
        box_weight: float,
        code_scale: tuple[float, float],
        suppression: Suppression,
    ) -> None:
        super().__init__()
        self.strides, self.image_size, self.class_count = strides, image_size, classes
        # Their values are known from the recipe: no buffers, which a file of weights would have to hold.
        self.shapes = [tuple(map(tuple, level.tolist())) for level in shapes]
        self.positive, self.negative = positive, negative
        self.box_loss, self.box_weight = box_loss, box_weight
        self.code_scale = (code_scale[0], code_scale[0], code_scale[1], code_scale[1])
        self.suppression = suppression

    @abstractmethod
    def maps(self, features: Features) -> tuple[list[Tensor], list[Tensor]]:
        """Logits `[B, A, K, h, w]` and codes `[B, A, 4, h, w]` of each level, float32."""

    @abstractmethod
    def class_loss(self, logits: list[Tensor], matches: AnchorMatches) -> Tensor:
        """Sum over the anchors of each image `[B]`."""

    @abstractmethod
    def scores(self, logits: Tensor) -> Tensor:
        """Probability of each class `[B, n, classes]` of logits `[B, n, K]`."""

    def anchors(self, logits: list[Tensor]) -> Anchors:
        """The anchors of the maps."""
        grid = grid_of([level[:, 0] for level in logits], self.strides)
        return Anchors(grid, tuple(torch.tensor(shape, device=grid.device) for shape in self.shapes))

    def matches(self, target: dict[str, Tensor], anchors: Anchors) -> AnchorMatches:
        """Which anchors learn which box; one of a class that there is not is no box."""
        labels = torch.where(target["labels"] < self.class_count, target["labels"], -1)
        return match(target["boxes"], labels, anchors, positive=self.positive, negative=self.negative)

    def loss(self, features: Features, target: dict[str, Tensor]) -> dict[str, Tensor]:
        """`class` and `box` `[B]`, each over the image's anchors that learn a box."""
        logits, codes = self.maps(features)
        anchors = self.anchors(logits)
        return self._loss(logits, codes, anchors, self.matches(target, anchors))

    @torch.no_grad()
    def predict(self, features: Features) -> dict[str, Tensor]:
        """`boxes` in pixels, `labels` (-1 for none) and falling `scores` of up to `detections` objects."""
        logits, codes = self.maps(features)
        return self._answer(logits, codes, self.anchors(logits))

    def judge(
        self, features: Features, target: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Loss; the answer and `unowned` `[B]`: true objects that no anchor learns."""
        logits, codes = self.maps(features)
        anchors = self.anchors(logits)
        matches = self.matches(target, anchors)
        loss = self._loss(logits, codes, anchors, matches)
        return loss, self._answer(logits, codes, anchors) | {"unowned": matches.unowned.sum(1)}

    def _loss(
        self, logits: list[Tensor], codes: list[Tensor], anchors: Anchors, matches: AnchorMatches
    ) -> dict[str, Tensor]:
        learners = matches.positive.sum(1).clamp_min(1)
        told, true, places = listed(codes), matches.true_boxes(), anchors.boxes()
        if self.box_loss in OVERLAP_LOSSES:
            each = OVERLAP_LOSSES[self.box_loss](decoded(self._unscaled(told), places), true)
        else:
            wanted = encoded(true, places) * told.new_tensor(self.code_scale)
            distance = F.l1_loss if self.box_loss == "l1" else F.smooth_l1_loss
            each = distance(told, wanted, reduction="none").sum(-1)
        box = torch.where(matches.positive, each, 0.0).sum(1)
        return {
            "class": self.class_loss(logits, matches) / learners,
            "box": self.box_weight * box / learners,
        }

    def _answer(self, logits: list[Tensor], codes: list[Tensor], anchors: Anchors) -> dict[str, Tensor]:
        levels = [self.scores(listed([level])) for level in logits]
        places, labels, scores = best_of_levels(levels, self.suppression.candidates)
        told = listed(codes).gather(1, places[..., None].expand(-1, -1, 4))
        boxes = decoded(self._unscaled(told), anchors.boxes()[places])
        return self.suppression(within(boxes, self.image_size), labels, scores)

    def _unscaled(self, codes: Tensor) -> Tensor:
        return codes / codes.new_tensor(self.code_scale)


def listed(levels: list[Tensor]) -> Tensor:
    """Maps `[B, A, K, h, w]` of each level as one list of anchors `[B, N, K]`."""
    return torch.cat([level.permute(0, 1, 3, 4, 2).flatten(1, 3) for level in levels], 1)


def by_anchor(map: Tensor, shapes: int) -> Tensor:
    """A convolution's output `[B, A * K, h, w]` in float32 as `[B, A, K, h, w]`."""
    return map.float().unflatten(1, (shapes, -1))
