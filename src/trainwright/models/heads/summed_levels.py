"""All levels of a pyramid as one map of the finest one's resolution."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORM_GROUPS = 32


class SummedLevels(nn.Module):
    """Each level climbs, level by level, to the finest one: convolution, norm, ReLU, upsampling; then a sum.

    Group normalisation keeps samples apart and does not depend on the size of the batch.

    Args:
        channels: Channels of the maps, the finest first.
        width: Channels of every step and of the sum.
    """

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.climbs = nn.ModuleList(
            nn.ModuleList(_step(count if place == 0 else width, width) for place in range(max(1, level)))
            for level, count in enumerate(channels)
        )

    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps `[B, channels[i], h_i, w_i]` to one `[B, width, h_0, w_0]`."""
        total: Tensor | None = None
        for level, (climb, map) in enumerate(zip(self.climbs, features, strict=True)):
            for place, step in enumerate(climb):
                map = step(map)
                if level:
                    size = features[level - 1 - place].shape[2:]
                    map = F.interpolate(map, size=size, mode="bilinear", align_corners=False)
            total = map if total is None else total + map
        assert isinstance(total, torch.Tensor)
        return total


def _step(channels: int, width: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(
        convolution, nn.GroupNorm(math.gcd(NORM_GROUPS, width), width), nn.ReLU(inplace=True)
    )
