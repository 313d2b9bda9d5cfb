"""A picture out of all levels of a pyramid, and out of the picture that went in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.fields import PositiveInt
from trainwright.models.heads.base import Features
from trainwright.models.heads.sub_pixel import SubPixel
from trainwright.models.heads.summed_levels import SummedLevels

TARGETS = ("image",)


class Restore(nn.Module):
    """Image to image: sharp from blurred, clean from noisy, coloured from gray.

    All levels are brought to the finest one and summed, and that is turned into pixels by sub-pixel
    convolution. These are joined with features of the picture at its own resolution, so that fine detail does
    not have to pass through the backbone. What comes out is added to the picture; at the start it is nothing.

    Args:
        target: What is learned.
        channels: Channels of the maps.
        strides: Their strides.
        in_channels: Channels of the picture that goes in.
        width: Channels of the sum.
        detail: Channels at the resolution of the picture.
    """

    reads_image = True

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        in_channels: int,
        *,
        width: PositiveInt = 64,
        detail: PositiveInt = 16,
    ) -> None:
        super().__init__()
        outside = target.shape[0]
        self.levels = SummedLevels(channels, width)
        self.pixels = SubPixel(width, detail, strides[0])
        self.detail = nn.Conv2d(in_channels, detail, 3, padding=1)
        self.join = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(detail, detail, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(detail, outside, 3, padding=1),
        )
        self.skip = nn.Conv2d(in_channels, outside, 1)
        for layer in (self.join[-1], self.skip):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            # Of other channels than the target's: their mean.
            share = torch.eye(outside) if in_channels == outside else torch.ones(outside, in_channels)
            self.skip.weight.copy_((share / share.sum(1, keepdim=True))[:, :, None, None])

    def forward(self, features: Features, image: Tensor) -> Tensor:
        """Maps and the picture `[B, in_channels, H, W]` to a picture `[B, channels of the target, H, W]`."""
        size = (image.shape[2], image.shape[3])
        fine = self.pixels(self.levels(features), size) + self.detail(image)
        found: Tensor = self.skip(image) + self.join(fine)
        return found
