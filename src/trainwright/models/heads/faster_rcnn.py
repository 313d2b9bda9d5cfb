"""Boxes in two stages: proposals, and a closer look at each of them."""

from __future__ import annotations

from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.fields import ComponentOf, Fraction, NonNegative, Positive, PositiveInt
from trainwright.losses.boxes import OVERLAP_LOSSES, OverlapName
from trainwright.models.heads.anchors import decoded
from trainwright.models.heads.base import Features, Head
from trainwright.models.heads.grid import within
from trainwright.models.heads.proposals import proposed, proposer
from trainwright.models.heads.region_samples import RegionSamples, sampled
from trainwright.models.heads.regions import Atlas
from trainwright.models.heads.suppression import Suppression
from trainwright.models.heads.tower import one_width

TARGETS = ("boxes",)

_BINS = 7
_CODE_SCALE = (0.1, 0.1, 0.2, 0.2)  # of a box's four numbers, so that all are learned at one pace


class FasterRcnn(Head):
    """A head of one class proposes regions; each is cut out of the maps, for class and box (Faster R-CNN).

    Ren et al., NeurIPS 2015, https://arxiv.org/abs/1506.01497, with ROIAlign on a pyramid (Lin et al., CVPR
    2017, arXiv:1612.03144). Regions to learn from are chosen without chance: the surest proposals, of every
    object in turn. The first stage without anchors is that of Zhou et al., arXiv:2103.07461; `retinanet` in
    its place is a region proposal network with anchors.

    Args:
        target: What is learned.
        channels: Channels of the maps, the same for all.
        strides: Pixels per cell of each map.
        image_size: Height and width; boxes end at the border.
        first_stage: Head for boxes that makes the proposals: fcos, retinanet, ssd, or one of your own.
        proposals: Regions that are looked at per picture.
        proposal_overlap: Of two proposals that overlap by more than this the surer one stays.
        samples: Regions that are learned from per picture.
        positive_share: Most of them that hold an object, as a share.
        positive_overlap: A region holds the object that it overlaps by this much.
        hidden: Width of each layer between a region and its class and box.
        overlap_loss: How a box is compared with the true one.
        box_weight: Of that comparison in the loss.
        proposal_weight: Of the first stage in the loss.
        candidates: Pairs of region and class that go into the suppression of doubles.
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
        first_stage: Annotated[dict[str, Any], ComponentOf("head")] = {"name": "fcos", "depth": 1},  # noqa: B006
        proposals: PositiveInt = 200,
        proposal_overlap: Fraction = 0.7,
        samples: PositiveInt = 128,
        positive_share: Fraction = 0.25,
        positive_overlap: Fraction = 0.5,
        hidden: list[PositiveInt] = [512, 512],  # noqa: B006 - never changed
        overlap_loss: OverlapName = "giou",
        box_weight: NonNegative = 1.0,
        proposal_weight: Positive = 1.0,
        candidates: PositiveInt = 1000,
        least_score: Fraction = 0.05,
        overlap: Fraction = 0.5,
        detections: PositiveInt = 100,
    ) -> None:
        super().__init__()
        self.width, self.classes = one_width(channels, type(self).__name__), len(target.classes)
        self.strides, self.image_size = strides, image_size
        self.first_stage = proposer(
            first_stage, channels, strides, image_size, count=proposals, overlap=proposal_overlap
        )
        self.samples, self.positives = samples, max(1, round(samples * positive_share))
        self.positive_overlap = positive_overlap
        self.overlap_loss, self.box_weight = OVERLAP_LOSSES[overlap_loss], box_weight
        self.proposal_weight = proposal_weight
        self.suppression = Suppression(candidates, least_score, overlap, detections)
        layers: list[nn.Module] = [nn.Flatten()]
        inside = self.width * _BINS**2
        for features in hidden:
            layers += [nn.Linear(inside, features), nn.ReLU(inplace=True)]
            inside = features
        self.layers = nn.Sequential(*layers)
        self.label = nn.Linear(inside, self.classes + 1)
        self.box = nn.Linear(inside, 4)
        for layer, spread in ((self.label, 0.01), (self.box, 0.001)):
            nn.init.normal_(layer.weight, std=spread)
            nn.init.zeros_(layer.bias)

    def look(self, atlas: Atlas, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the classes and of background `[B, S, C + 1]` and better boxes `[B, S, 4]` of regions."""
        regions = self.layers(atlas.cut(boxes, _BINS))
        shape = boxes.shape[:2]
        logits = self.label(regions).float().unflatten(0, shape)
        codes = self.box(regions).float().unflatten(0, shape)
        # A region has sides, of which others are told as multiples.
        wide = torch.cat([boxes[..., :2], torch.maximum(boxes[..., 2:], boxes[..., :2] + 1e-3)], -1)
        return logits, decoded(codes * codes.new_tensor(_CODE_SCALE), wide)

    def loss(self, features: Features, target: dict[str, Tensor]) -> dict[str, Tensor]:
        """Those of the first stage as `proposal_...`, and `class` and `box` `[B]` of the second."""
        parts, found = proposed(self.first_stage, features, target, self.classes)
        return self._loss(Atlas(features, self.strides), parts, found, target)

    @torch.no_grad()
    def predict(self, features: Features) -> dict[str, Tensor]:
        """`boxes` in pixels, `labels` (-1 for none) and falling `scores` of up to `detections` objects."""
        _, found = proposed(self.first_stage, features, None, self.classes)
        return self._answer(Atlas(features, self.strides), found)

    def judge(
        self, features: Features, target: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Loss, and what scoring keeps."""
        parts, found = proposed(self.first_stage, features, target, self.classes)
        atlas = Atlas(features, self.strides)
        loss = self._loss(atlas, parts, found, target)
        return loss, self.compare(self._answer(atlas, found), target)

    def region_loss(
        self, atlas: Atlas, samples: RegionSamples, target: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """What else is learned from regions of objects, `[B]` each."""
        return {}

    def region_answer(self, atlas: Atlas, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """What else is told of the found objects, `[B, detections, ...]` each."""
        return {}

    def _loss(
        self,
        atlas: Atlas,
        parts: dict[str, Tensor],
        found: dict[str, Tensor],
        target: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        samples = self._chosen(found, target)
        logits, boxes = self.look(atlas, samples.boxes)
        each = F.cross_entropy(logits.transpose(1, 2), samples.labels, reduction="none")
        box = self.overlap_loss(boxes, samples.true)
        return (
            {name: self.proposal_weight * value for name, value in parts.items()}
            | {
                "class": mean_over(each, samples.counted),
                "box": self.box_weight * mean_over(box, samples.positive),
            }
            | self.region_loss(atlas, samples.first(self.positives), target)
        )

    def _chosen(self, found: dict[str, Tensor], target: dict[str, Tensor]) -> RegionSamples:
        """The regions to learn from."""
        return sampled(
            found["boxes"],
            found["labels"] >= 0,
            target["boxes"],
            target["labels"],
            classes=self.classes,
            image_size=self.image_size,
            count=self.samples,
            positives=self.positives,
            least_overlap=self.positive_overlap,
        )

    def _answer(self, atlas: Atlas, found: dict[str, Tensor]) -> dict[str, Tensor]:
        logits, boxes = self.look(atlas, found["boxes"])
        scores = logits.softmax(2)[..., :-1] * (found["labels"] >= 0)[..., None]
        limit = min(self.suppression.candidates, scores[0].numel())
        values, places = scores.flatten(1).topk(limit, dim=1)
        regions = (places // self.classes)[..., None].expand(-1, -1, 4)
        boxes = within(boxes, self.image_size).gather(1, regions)
        answer = self.suppression(boxes, places % self.classes, values)
        return answer | self.region_answer(atlas, answer)


def mean_over(values: Tensor, counted: Tensor) -> Tensor:
    """Mean of values `[B, S]` over those that count (0 or 1): `[B]`, 0 where none does."""
    return torch.where(counted > 0, values, 0.0).sum(1) / counted.sum(1).clamp_min(1)
