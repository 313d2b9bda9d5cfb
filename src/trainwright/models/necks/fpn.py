"""Feature pyramid network (Lin et al., CVPR 2017, arXiv:1612.03144)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.fields import NonNegativeInt, PositiveInt


class Fpn(nn.Module):
    """1x1 convolutions to one width, a way down by nearest neighbours and sums, 3x3 convolutions behind.

    Args:
        channels: Channels of the backbone's maps.
        strides: Their strides.
        width: Channels of every map of the pyramid.
        extra: Further levels, each a 3x3 convolution of stride 2 on the one before.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], width: int, extra: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)
        self.further = nn.ModuleList(nn.Conv2d(width, width, 3, stride=2, padding=1) for _ in range(extra))
        self.channels = (width,) * (len(channels) + extra)
        self.strides = (*strides, *(strides[-1] * 2 ** (place + 1) for place in range(extra)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_uniform_(module.weight, a=1)
                nn.init.zeros_(module.bias)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps `[B, channels[i], h, w]` to maps `[B, width, h, w]`, and those of the further levels."""
        inner = [lateral(map) for lateral, map in zip(self.lateral, maps, strict=True)]
        for place in range(len(inner) - 2, -1, -1):
            inner[place] = inner[place] + resized(inner[place + 1], inner[place])
        found = [smooth(map) for smooth, map in zip(self.smooth, inner, strict=True)]
        for place, further in enumerate(self.further):
            found.append(further(F.relu(found[-1]) if place else found[-1]))
        return found


def resized(map: Tensor, like: Tensor) -> Tensor:
    """A map at the resolution of another one, by nearest neighbours."""
    return F.interpolate(map, size=like.shape[2:], mode="nearest")


def fpn(
    channels: tuple[int, ...],
    strides: tuple[int, ...],
    *,
    width: PositiveInt = 128,
    extra: NonNegativeInt = 0,
) -> nn.Module:
    """Feature pyramid: every level is told by the coarser ones what it shows.

    Args:
        channels: Channels of the backbone's maps.
        strides: Their strides.
        width: Channels of every level.
        extra: Further, coarser levels (RetinaNet and FCOS have two, for large objects).
    """
    return Fpn(channels, strides, width, extra)
