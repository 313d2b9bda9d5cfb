"""Boxes without anchors: every cell tells how far the sides of its box are."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.data.types import TensorSpec
from trainwright.fields import Fraction, NonNegative, NonNegativeInt, Positive, PositiveInt
from trainwright.losses.boxes import OVERLAP_LOSSES, OverlapName
from trainwright.losses.boxes.confidence import absent, present, present_with_quality
from trainwright.losses.boxes.overlap import overlap
from trainwright.models.heads.base import Features, Head
from trainwright.models.heads.box_cells import BoxCells, box_cells
from trainwright.models.heads.grid import Grid, boxes_around, distances_to, grid_of, within
from trainwright.models.heads.suppression import Suppression, best_of_levels
from trainwright.models.heads.tower import one_width, prior_bias, start, tower

TARGETS = ("boxes",)
DEAD_WHEN = {"Fcos": {"alpha": "classification == 'quality_focal'"}}

Maps: TypeAlias = tuple[list[Tensor], Tensor, Tensor | None]

_LOWEST, _HIGHEST = -8.0, 8.0  # of the logarithm of a distance in cells


class Fcos(Head):
    """Each cell near the centre of a box tells its class and the distances to its sides (FCOS).

    Tian et al., ICCV 2019, https://arxiv.org/abs/1904.01355, and arXiv:2006.09214.

    Args:
        target: What is learned.
        channels: Channels of the maps, the same for all.
        strides: Pixels per cell of each map.
        image_size: Height and width; boxes end at the border.
        depth: 3x3 convolutions in front of the outputs, one row for classes and one for boxes.
        norm: Behind each of them.
        radius: Cells whose middle is nearer to a box's centre than this many cells learn the box.
        reach: A level learns boxes whose farthest side is up to this many of its cells away, and not those
            of half that size, which are the next finer level's.
        overlap_loss: How a box is compared with the true one.
        box_weight: Of that comparison in the loss.
        classification: `focal`, with the probability of lying in the middle of a box beside it (centre-ness);
            `quality_focal` learns the overlap of the box as the probability of its class.
        alpha: Share of the focal loss that objects have, against background.
        gamma: How much less a sure answer counts in the focal loss.
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
        depth: NonNegativeInt = 4,
        norm: Literal["group", "none"] = "group",
        radius: Annotated[float, Ge(0.5)] = 1.5,
        reach: Positive = 8.0,
        overlap_loss: OverlapName = "giou",
        box_weight: NonNegative = 1.0,
        classification: Literal["focal", "quality_focal"] = "focal",
        alpha: Fraction = 0.25,
        gamma: NonNegative = 2.0,
        candidates: PositiveInt = 1000,
        least_score: Fraction = 0.05,
        overlap: Fraction = 0.6,
        detections: PositiveInt = 100,
    ) -> None:
        super().__init__()
        width, classes = one_width(channels, "fcos"), len(target.classes)
        self.strides, self.image_size = strides, image_size
        self.radius, self.reach = radius, reach
        self.overlap_loss, self.box_weight = OVERLAP_LOSSES[overlap_loss], box_weight
        self.quality = classification == "quality_focal"
        self.alpha, self.gamma = alpha, gamma
        self.suppression = Suppression(candidates, least_score, overlap, detections)
        self.class_tower, self.box_tower = tower(width, depth, norm), tower(width, depth, norm)
        self.classes = nn.Conv2d(width, classes, 3, padding=1)
        # Four distances, and the logit of centre-ness where it is learned.
        self.sides = nn.Conv2d(width, 4 if self.quality else 5, 3, padding=1)
        self.scales = nn.Parameter(torch.ones(len(strides)))
        for layer in (self.classes, self.sides):
            start(layer)
        assert self.classes.bias is not None and self.sides.bias is not None
        nn.init.constant_(self.classes.bias, prior_bias(0.01))
        with torch.no_grad():
            # The first boxes are as large as those that the levels are to learn.
            self.sides.bias[:4] = math.log(reach / 3)

    def box_maps(self, features: Features) -> list[Tensor]:
        """What boxes are told from, `[B, C, h, w]` of each level."""
        return [self.box_tower(map) for map in features]

    def maps(self, features: Features, boxes: list[Tensor] | None = None) -> Maps:
        """Class logits `[B, C, h, w]` of each level; distances in cells `[B, 4, L]`; centre-ness `[B, L]`.

        Args:
            features: Maps.
            boxes: Of `box_maps`, where they are made already.
        """
        logits = [self.classes(self.class_tower(map)).float() for map in features]
        sides, middles = [], []
        for level, map in enumerate(self.box_maps(features) if boxes is None else boxes):
            found = self.sides(map).float().flatten(2)
            sides.append(found[:, :4] * self.scales[level])
            middles.append(found[:, 4:])
        distances = torch.cat(sides, 2).clamp(_LOWEST, _HIGHEST).exp()
        return logits, distances, None if self.quality else torch.cat(middles, 2)[:, 0]

    def cells(self, target: dict[str, Tensor], grid: Grid) -> BoxCells:
        """Which cells learn which box; one of a class that there is not is no box."""
        labels = target["labels"]
        labels = torch.where(labels < self.classes.out_channels, labels, -1)
        return box_cells(target["boxes"], labels, grid, radius=self.radius, reach=self.reach)

    def loss(self, features: Features, target: dict[str, Tensor]) -> dict[str, Tensor]:
        """`class`, `box` and, with it, `centre` `[B]`, each over the image's cells that learn a box."""
        maps = self.maps(features)
        grid = grid_of(maps[0], self.strides)
        return self.losses(maps, grid, self.cells(target, grid))

    @torch.no_grad()
    def predict(self, features: Features) -> dict[str, Tensor]:
        """`boxes` in pixels, `labels` (-1 for none) and falling `scores` of up to `detections` objects."""
        maps = self.maps(features)
        return self._answer(maps, grid_of(maps[0], self.strides))

    def judge(
        self, features: Features, target: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Loss; the answer and `unowned` `[B]`: true objects that no cell learns, too small or covered."""
        maps = self.maps(features)
        grid = grid_of(maps[0], self.strides)
        cells = self.cells(target, grid)
        answer = self._answer(maps, grid) | {"unowned": cells.unowned.sum(1)}
        return self.losses(maps, grid, cells), answer

    def losses(self, maps: Maps, grid: Grid, cells: BoxCells) -> dict[str, Tensor]:
        """See `loss`, of maps and cells that are known."""
        logits, distances, middle = maps
        count, chosen = len(cells.cell), cells.cell.flatten(1)
        owned = cells.owned.flatten(1).float()
        learners = owned.sum(1).clamp_min(1)
        steps = grid.steps()[chosen]
        told = distances.gather(2, chosen[:, None].expand(-1, 4, -1)).transpose(1, 2) * steps[..., None]
        points = cells.points.flatten(1, 2)
        boxes = boxes_around(points, told)
        true = cells.boxes[:, :, None].expand(-1, -1, cells.cell.shape[2], -1).reshape(count, -1, 4)
        # Centre-ness weighs the boxes: what is told from the rim of an object is rarely chosen.
        weight = owned if middle is None else owned * _centredness(distances_to(true, points))
        found = {
            "class": self._class_loss(logits, cells, boxes.detach(), true, owned) / learners,
            "box": self.box_weight
            * (self.overlap_loss(boxes, true) * weight).sum(1)
            / weight.sum(1).clamp_min(1e-6),
        }
        if middle is not None:
            wanted = _centredness(distances_to(true, points))
            each = F.binary_cross_entropy_with_logits(middle.gather(1, chosen), wanted, reduction="none")
            found["centre"] = (each * owned).sum(1) / learners
        return found

    def _class_loss(
        self, logits: list[Tensor], cells: BoxCells, boxes: Tensor, true: Tensor, owned: Tensor
    ) -> Tensor:
        """Sum over cells and classes `[B]`: all are to say no but the class of each cell's own box."""
        label = cells.labels.clamp_min(0)[..., None].expand(cells.cell.shape).flatten(1)
        flat = torch.cat([level.flatten(2) for level in logits], 2)
        places = label * flat.shape[2] + cells.cell.flatten(1)
        own = flat.flatten(1).gather(1, places)
        no, yes = (1.0, 1.0) if self.quality else (1 - self.alpha, self.alpha)
        if self.quality:
            positive = present_with_quality(own, overlap(boxes, true), self.gamma)
        else:
            positive = present(own, self.gamma)
        everywhere = torch.stack([absent(level, self.gamma).sum((1, 2, 3)) for level in logits]).sum(0)
        return no * everywhere + ((yes * positive - no * absent(own, self.gamma)) * owned).sum(1)

    def candidates(self, maps: Maps, grid: Grid) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Boxes `[B, K, 4]`, labels, scores, and the cells that tell them `[B, K]`, before suppression."""
        logits, distances, middle = maps
        levels = [level.flatten(2).transpose(1, 2).sigmoid() for level in logits]
        if middle is not None:
            centred = middle.sigmoid()[..., None].split([level.shape[1] for level in levels], 1)
            levels = [(level * part).sqrt() for level, part in zip(levels, centred, strict=True)]
        places, labels, scores = best_of_levels(levels, self.suppression.candidates)
        told = distances.gather(2, places[:, None].expand(-1, 4, -1)).transpose(1, 2)
        boxes = boxes_around(grid.centres()[places], told * grid.steps()[places][..., None])
        return within(boxes, self.image_size), labels, scores, places

    def _answer(self, maps: Maps, grid: Grid) -> dict[str, Tensor]:
        boxes, labels, scores, _ = self.candidates(maps, grid)
        return self.suppression(boxes, labels, scores)


def _centredness(distances: Tensor) -> Tensor:
    """1 in the middle of a box, 0 at its sides `[...]`, of distances `[..., 4]`; 0 outside."""
    near = torch.minimum(distances[..., :2], distances[..., 2:]).clamp_min(0)
    far = torch.maximum(distances[..., :2], distances[..., 2:]).clamp_min(1e-6)
    return (near / far).prod(-1).sqrt()
