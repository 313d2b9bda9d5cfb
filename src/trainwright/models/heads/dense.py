"""A class for every pixel, of all levels of a pyramid (Kirillov et al., CVPR 2019, arXiv:1901.02446)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import NonNegativeInt, OpenFraction, PositiveInt
from trainwright.losses.cross_entropy import cross_entropy
from trainwright.losses.reduction import VOID
from trainwright.models.heads.base import Features, Head
from trainwright.models.heads.class_maps import boundary_matches, confusion
from trainwright.models.heads.sub_pixel import SubPixel
from trainwright.models.heads.summed_levels import SummedLevels

TARGETS = ("mask",)


class Dense(Head):
    """Semantic segmentation: all levels are brought to the finest one and summed, and give logits per pixel.

    Each level climbs to the finest one in steps of a 3x3 convolution, group normalisation and bilinear
    upsampling. Logits are upsampled to the size of the processed image, or every cell gives those of a square
    of pixels, which follow boundaries that are finer than a cell; the loss leaves out pixels without a class.

    Args:
        target: The mask.
        channels: Channels of the maps.
        strides: Their strides.
        image_size: Height and width of the processed image.
        loss: The recipe's loss; cross-entropy when absent.
        class_weights: Weight of every class in it `[C]`.
        width: Channels of every step and of the sum.
        pixels: Pixels a side of a cell of the finest map that have logits of their own; 1 gives each cell one
            for all of it. They must divide the map's stride.
        dropout: Share of the sum's channels that are left out in training.
        boundary_tolerance: Pixels of the processed image by which a boundary may be missed and still counts
            as met in `boundary_f`.
    """

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        image_size: tuple[int, int],
        loss: Callable[..., Tensor] | None,
        class_weights: Tensor | None,
        *,
        width: PositiveInt = 128,
        pixels: PositiveInt = 1,
        dropout: OpenFraction = 0.0,
        boundary_tolerance: NonNegativeInt = 3,
    ) -> None:
        super().__init__()
        self.classes, self.void, self.size = len(target.classes), target.void, image_size
        self.levels = SummedLevels(channels, width)
        self.dropout = nn.Dropout2d(dropout)
        if strides[0] % pixels:
            raise ModelError(
                f"{pixels} does not divide the stride of the finest map, {strides[0]}",
                where=".pixels",
                fix=f"give {strides[0]}, or a divisor of it",
            )
        self.pixels, self.stride = pixels, strides[0]
        self.logits = SubPixel(width, self.classes, pixels, math.sqrt(1 / width))
        self.per_sample = loss or cross_entropy
        self.tolerance = boundary_tolerance
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, features: Features, size: tuple[int, int] | None = None) -> Tensor:
        """Logits float32 `[B, C, H, W]` at a size, that of the image when absent."""
        size = size or self.size
        map = self.dropout(self.levels(features))
        height, width = map.shape[2] * self.pixels, map.shape[3] * self.pixels
        # Where every pixel has logits of its own, those beyond the picture's last are left out.
        logits = self.logits(map, size if self.pixels == self.stride else (height, width)).float()
        if logits.shape[2:] == torch.Size(size):
            return logits
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)

    def loss(self, features: Features, target: Tensor) -> Tensor:
        """Loss of each sample `[B]`, 0 of a picture without a pixel that has a class.

        Args:
            features: Maps.
            target: Class ids int64 `[B, H, W]`, or shares float `[B, C, H, W]` of mixed pictures.
        """
        logits = self(features, tuple(target.shape[-2:]))
        if not target.is_floating_point():
            target = self._known(target, VOID)
        if self.class_weights is None:
            return self.per_sample(logits, target)
        return self.per_sample(logits, target, self.class_weights)

    def predict(self, features: Features) -> Tensor:
        """The most probable class of each pixel, uint8 `[B, H, W]` (int16 from 257 classes on)."""
        return self(features).argmax(1).to(torch.uint8 if self.classes <= 256 else torch.int16)

    def compare(self, answer: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Counts per sample instead of maps.

        Returns:
            `confusion` int32 `[B, C, C]`, true classes in rows; `boundary` int32 `[B, C, 4]`, see
            `boundary_matches`.
        """
        predicted, true = answer.long(), self._known(target, -1)
        return {
            "confusion": confusion(predicted, true, self.classes),
            "boundary": boundary_matches(predicted, true, self.classes, self.tolerance),
        }

    def _known(self, target: Tensor, void: int) -> Tensor:
        """Class ids in which one value stands for no class."""
        if target.is_floating_point():
            target = torch.where(target.sum(1) > 0, target.argmax(1), void)
        return target if self.void is None else target.masked_fill(target == self.void, void)
