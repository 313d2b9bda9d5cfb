"""Path aggregation network (Liu et al., CVPR 2018, arXiv:1803.01534)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from trainwright.fields import NonNegativeInt, PositiveInt
from trainwright.models.necks.fpn import Fpn


class Pan(nn.Module):
    """A feature pyramid, then a way up again by 3x3 convolutions of stride 2 and sums."""

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], width: int, extra: int) -> None:
        super().__init__()
        self.pyramid = Fpn(channels, strides, width, extra)
        self.channels, self.strides = self.pyramid.channels, self.pyramid.strides
        steps = len(self.channels) - 1
        self.up = nn.ModuleList(nn.Conv2d(width, width, 3, stride=2, padding=1) for _ in range(steps))
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(steps))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps of the backbone to maps `[B, width, h, w]` in which fine detail has a short way up."""
        levels = self.pyramid(maps)
        found = [levels[0]]
        for up, smooth, level in zip(self.up, self.smooth, levels[1:], strict=True):
            risen = up(found[-1])
            found.append(F.relu(smooth(F.relu(risen + level))))
        return found


def pan(
    channels: tuple[int, ...],
    strides: tuple[int, ...],
    *,
    width: PositiveInt = 128,
    extra: NonNegativeInt = 0,
) -> nn.Module:
    """Feature pyramid with a second, upward path: exact positions reach the coarse levels quickly.

    Args:
        channels: Channels of the backbone's maps.
        strides: Their strides.
        width: Channels of every level.
        extra: Further, coarser levels.
    """
    return Pan(channels, strides, width, extra)
