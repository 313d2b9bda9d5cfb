"""Instances in two stages: boxes, and a mask within each."""

from __future__ import annotations

from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.fields import ComponentOf, Fraction, NonNegative, NonNegativeInt, Positive, PositiveInt
from trainwright.losses.boxes import OverlapName
from trainwright.models.heads.faster_rcnn import FasterRcnn, mean_over
from trainwright.models.heads.region_branch import BINS, CELLS, RegionBranch
from trainwright.models.heads.region_masks import cropped, mask_overlaps, pasted
from trainwright.models.heads.region_samples import RegionSamples
from trainwright.models.heads.regions import Atlas

TARGETS = ("instances",)


class MaskRcnn(FasterRcnn):
    """A head of one class proposes regions; each gets class, box and mask (Mask R-CNN).

    He et al., ICCV 2017, https://arxiv.org/abs/1703.06870. Masks have 28 x 28 cells within the box, one mask
    for each class. Everything else is as in `faster_rcnn`.

    Args:
        target: What is learned.
        channels: Channels of the maps, the same for all.
        strides: Pixels per cell of each map.
        image_size: Height and width; boxes end at the border.
        first_stage: Head for boxes that makes the proposals: fcos, retinanet, ssd, or one of your own.
        proposals: Regions that are looked at per picture.
        proposal_overlap: Of two proposals that overlap by more than this the surer one stays.
        samples: Regions that are learned from per picture.
        positive_share: Most of them that hold an object, as a share; masks are learned from these.
        positive_overlap: A region holds the object that it overlaps by this much.
        hidden: Width of each layer between a region and its class and box.
        mask_depth: 3x3 convolutions between a region and its mask.
        mask_weight: Of the masks in the loss.
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
        mask_depth: NonNegativeInt = 4,
        mask_weight: NonNegative = 1.0,
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
        self.mask_weight = mask_weight
        self.masks = RegionBranch(self.width, mask_depth, self.classes)

    def region_loss(
        self, atlas: Atlas, samples: RegionSamples, target: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """`mask` `[B]`: cross-entropy of the cells, the mean over the regions with an object."""
        told = self.masks(atlas.cut(samples.boxes, BINS)).unflatten(0, samples.labels.shape)
        label = samples.labels.clamp_max(self.classes - 1)
        own = told.gather(2, label[..., None, None, None].expand(-1, -1, -1, CELLS, CELLS))[:, :, 0]
        wanted = cropped(target["masks"], samples.owner, samples.boxes, self.image_size, CELLS)
        each = F.binary_cross_entropy_with_logits(own, wanted, reduction="none").mean((2, 3))
        return {"mask": self.mask_weight * mean_over(each, samples.positive)}

    def region_answer(self, atlas: Atlas, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """`crops` uint8 `[B, D, 28, 28]`: how probably each cell of a box is the object's, 255 for sure."""
        labels = found["labels"]
        crops = torch.zeros((labels.numel(), CELLS, CELLS), dtype=torch.uint8, device=labels.device)
        for places, told in self.masks.of_found(atlas, found["boxes"], labels >= 0):
            label = labels.flatten()[places]
            own = told[torch.arange(len(places), device=label.device), label]
            crops[places] = own.sigmoid().mul(255).round().to(torch.uint8)
        return {"crops": crops.unflatten(0, labels.shape)}

    @torch.no_grad()
    def compare(self, answer: dict[str, Tensor], target: dict[str, Tensor]) -> dict[str, Tensor]:
        """The answer, and how the masks overlap, so that none of the size of the image need be kept.

        Returns:
            With `similarity` `[B, D, M]`, intersection over union of found and true masks, 0 without an
            object, and the pixels of the masks as `areas` `[B, D]` and `true_areas` `[B, M]`.
        """
        masks = target["masks"] > 0
        there = answer["labels"] >= 0
        similarity = torch.zeros((*there.shape, masks.shape[1]), device=masks.device)
        areas = torch.zeros(there.shape, device=masks.device)
        size = (masks.shape[2], masks.shape[3])
        # A picture at a time: the masks of all objects of a batch would be many more.
        for place in range(len(there)):
            rows = there[place].nonzero()[:, 0]
            crops = answer["crops"][place, rows].float() / 255
            drawn = pasted(crops, answer["boxes"][place, rows], size, self.image_size)
            similarity[place, rows] = mask_overlaps(drawn, masks[place])
            areas[place, rows] = drawn.sum((1, 2)).float()
        return answer | {
            "similarity": similarity,
            "areas": areas,
            "true_areas": masks.sum((2, 3)).float(),
        }
