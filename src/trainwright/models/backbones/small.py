"""A residual backbone of our own whose width and depth are free, for training from random weights."""

from __future__ import annotations

from torch import Tensor, nn

from trainwright.errors import ModelError
from trainwright.fields import PositiveInt
from trainwright.models.resnet_cifar import BasicBlock


class SmallMaps(nn.Module):
    """A stem of stride 2, then stages of basic blocks that halve the resolution each."""

    def __init__(self, in_channels: int, widths: list[int], blocks: list[int], first: int = 0) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, widths[0], 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages, channels = [], widths[0]
        for width, count in zip(widths, blocks, strict=True):
            rest = (BasicBlock(width, width, 1, "B") for _ in range(count - 1))
            stages.append(nn.Sequential(BasicBlock(channels, width, 2, "B"), *rest))
            channels = width
        self.stages = nn.ModuleList(stages)
        self.first = first
        self.channels = tuple(widths[first:])
        self.strides = tuple(2 ** (place + 2) for place in range(first, len(widths)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> list[Tensor]:
        """Images `[B, C, H, W]` to maps of stride 4, 8, 16, ..., from the first that is wanted."""
        maps, x = [], self.stem(image)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps[self.first :]


def small(
    in_channels: int,
    *,
    widths: list[PositiveInt] = [32, 64, 128, 256],  # noqa: B006 - never changed
    blocks: list[PositiveInt] = [1, 1, 1, 1],  # noqa: B006 - never changed
    finest: PositiveInt = 4,
) -> nn.Module:
    """A small residual network: maps of stride 4, 8, 16, ..., one per width.

    Args:
        in_channels: Channels of the image.
        widths: Channels of each map.
        blocks: Basic blocks (two 3x3 convolutions around a shortcut) of each stage.
        finest: Maps finer than this stride are left out.

    Raises:
        ModelError: Widths and blocks are of different number, or no map is left.
    """
    if len(widths) != len(blocks):
        raise ModelError(
            f"{len(widths)} widths and {len(blocks)} numbers of blocks",
            where="model.backbone.blocks",
            fix="give one number of blocks per width",
        )
    first = sum(2 ** (place + 2) < finest for place in range(len(widths)))
    if first == len(widths):
        raise ModelError(
            f"{len(widths)} stages have no map of stride {finest}",
            where="model.backbone.finest",
            fix=f"the coarsest has {2 ** (len(widths) + 1)}",
        )
    return SmallMaps(in_channels, list(widths), list(blocks), first)
