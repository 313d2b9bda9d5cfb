"""From a map to pixels by sub-pixel convolution (Shi et al., CVPR 2016, arXiv:1609.05158)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SubPixel(nn.Module):
    """Every cell gives all pixels that it stands for; a convolution of the map's own resolution does it.

    At the start all pixels of a cell are alike (Aitken et al. 2017, arXiv:1707.02937), so that no
    checkerboard has to be unlearned.

    Args:
        inside: Channels of the map.
        outside: Channels of a pixel.
        stride: Pixels a side of a cell.
        deviation: Standard deviation of the first weights; that of He et al. when absent.
    """

    def __init__(self, inside: int, outside: int, stride: int, deviation: float | None = None) -> None:
        super().__init__()
        self.stride = stride
        self.convolution = nn.Conv2d(inside, outside * stride**2, 1)
        first = torch.empty(outside, inside, 1, 1)
        if deviation is None:
            nn.init.kaiming_normal_(first, nonlinearity="relu")
        else:
            nn.init.normal_(first, std=deviation)
        with torch.no_grad():
            self.convolution.weight.copy_(first.repeat_interleave(stride**2, 0))
        assert self.convolution.bias is not None
        nn.init.zeros_(self.convolution.bias)

    def forward(self, map: Tensor, size: tuple[int, int]) -> Tensor:
        """`[B, inside, h, w]` to the first `[B, outside, H, W]` of `h * stride` by `w * stride` pixels."""
        pixels = F.pixel_shuffle(self.convolution(map), self.stride)
        return pixels[:, :, : size[0], : size[1]]
