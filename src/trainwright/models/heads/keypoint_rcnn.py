"""Keypoints of several objects in two stages: boxes, and the points within each."""

from __future__ import annotations

from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.fields import ComponentOf, Fraction, NonNegative, NonNegativeInt, Positive, PositiveInt
from trainwright.losses.boxes import OverlapName
from trainwright.models.heads.faster_rcnn import FasterRcnn, mean_over
from trainwright.models.heads.peaks import divergence, quadratic_peak, share_at_peak
from trainwright.models.heads.region_branch import BINS, RegionBranch
from trainwright.models.heads.region_samples import RegionSamples
from trainwright.models.heads.regions import Atlas

TARGETS = ("keypoints",)

_UPSAMPLED = 2


class KeypointRcnn(FasterRcnn):
    """A head of one class proposes regions; each gets class, box and a map per point (Keypoint R-CNN).

    He et al., ICCV 2017, https://arxiv.org/abs/1703.06870, section 5. A map has 56 x 56 cells within the box
    and is learned as a distribution over them, as in `heatmaps`. Points of visibility 0 and those outside of
    a region do not count there. The third number of a point of the answer is its confidence: the share of
    its map within three sigma of the peak. Everything else is as in `faster_rcnn`.

    Args:
        target: What is learned.
        channels: Channels of the maps, the same for all.
        strides: Pixels per cell of each map.
        image_size: Height and width; boxes end at the border.
        first_stage: Head for boxes that makes the proposals: fcos, retinanet, ssd, or one of your own.
        proposals: Regions that are looked at per picture.
        proposal_overlap: Of two proposals that overlap by more than this the surer one stays.
        samples: Regions that are learned from per picture.
        positive_share: Most of them that hold an object, as a share; points are learned from these.
        positive_overlap: A region holds the object that it overlaps by this much.
        hidden: Width of each layer between a region and its class and box.
        point_depth: 3x3 convolutions between a region and its maps.
        sigma: Of the Gaussians around the points, in cells.
        point_weight: Of the points in the loss, whose unit is the nat.
        overlap_loss: How a box is compared with the true one.
        box_weight: Of that comparison in the loss.
        proposal_weight: Of the first stage in the loss.
        candidates: Pairs of region and class that go into the suppression of doubles.
        least_score: Objects below this score are not told.
        overlap: Of two objects of a class whose boxes overlap by more than this the surer one is told.
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
        point_depth: NonNegativeInt = 4,
        sigma: Positive = 1.5,
        point_weight: NonNegative = 1.0,
        overlap_loss: OverlapName = "giou",
        box_weight: NonNegative = 1.0,
        proposal_weight: Positive = 1.0,
        candidates: PositiveInt = 1000,
        least_score: Fraction = 0.05,
        overlap: Fraction = 0.5,
        detections: PositiveInt = 100,
    ) -> None:
        super().__init__(
            target,
            channels,
            strides,
            image_size,
            first_stage=first_stage,
            proposals=proposals,
            proposal_overlap=proposal_overlap,
            samples=samples,
            positive_share=positive_share,
            positive_overlap=positive_overlap,
            hidden=hidden,
            overlap_loss=overlap_loss,
            box_weight=box_weight,
            proposal_weight=proposal_weight,
            candidates=candidates,
            least_score=least_score,
            overlap=overlap,
            detections=detections,
        )
        self.sigma, self.point_weight = sigma, point_weight
        self.points = RegionBranch(self.width, point_depth, target.shape[1])

    def region_loss(
        self, atlas: Atlas, samples: RegionSamples, target: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """`points` `[B]`: divergence from the Gaussians, the mean over all points that count."""
        raw = self._maps(self.points(atlas.cut(samples.boxes, BINS)))
        places, seen = points_within(target["points"].float(), samples, raw.shape[2])
        each = divergence(raw, places.flatten(0, 1), self.sigma).view_as(seen)
        return {"points": self.point_weight * mean_over(each.flatten(1), seen.flatten(1))}

    def region_answer(self, atlas: Atlas, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """`points` float32 `[B, D, K, 3]`: x and y in pixels, and the confidence."""
        boxes, labels = found["boxes"], found["labels"]
        points = boxes.new_zeros((labels.numel(), self.points.outputs.out_channels, 3))
        for places, told in self.points.of_found(atlas, boxes, labels >= 0):
            heat = self._maps(told)
            heat = heat.flatten(2).softmax(2).view_as(heat)
            share = (quadratic_peak(heat) + 0.5) / heat.shape[2]
            box = boxes.flatten(0, 1)[places][:, None]
            points[places, :, :2] = box[..., :2] + share * (box[..., 2:] - box[..., :2])
            # What has the visibility 0 is no point at all, whatever its x and y.
            points[places, :, 2] = share_at_peak(heat, self.sigma).clamp_min(1e-6)
        return {"points": points.unflatten(0, labels.shape)}

    def _maps(self, told: Tensor) -> Tensor:
        maps: Tensor = F.interpolate(told, scale_factor=_UPSAMPLED, mode="bilinear", align_corners=False)
        return maps


def points_within(points: Tensor, samples: RegionSamples, cells: int) -> tuple[Tensor, Tensor]:
    """The points of each region's object in cells of the region, and which of them count.

    Args:
        points: x, y in pixels and visibility of the true objects `[B, M, K, 3]`.
        samples: S regions.
        cells: Across and down of a region.

    Returns:
        x and y `[B, S, K, 2]`, (0, 0) the centre of the first cell, and 0 or 1 `[B, S, K]`.
    """
    if not points.shape[1]:
        points = points.new_zeros((len(points), 1, *points.shape[2:]))
    mine = points.gather(1, samples.owner[..., None, None].expand(-1, -1, *points.shape[2:]))
    first, last = samples.boxes[:, :, None, :2], samples.boxes[:, :, None, 2:]
    share = (mine[..., :2] - first) / (last - first).clamp_min(1e-6)
    # A comparison with NaN is false.
    inside = ((share >= 0) & (share < 1)).all(-1)
    seen = inside & (mine[..., 2] > 0) & (samples.positive > 0)[..., None]
    return torch.where(seen[..., None], share * cells - 0.5, 0.0), seen.float()
