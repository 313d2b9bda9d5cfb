"""What scoring keeps of a restored picture, so that no picture is held over a split."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LARGEST = 255.0
"""Of a pixel."""

EQUAL_DB = 100.0
"""Decibels of a picture without any error, whose ratio is infinite."""

_WINDOW, _SIGMA = 11, 1.5
_STABILISERS = ((0.01 * LARGEST) ** 2, (0.03 * LARGEST) ** 2)


def picture_errors(restored: Tensor, clean: Tensor) -> dict[str, Tensor]:
    """How near restored pictures come to clean ones.

    Args:
        restored: Pixels `[B, C, H, W]`, of which 0 to 255 can be shown: they are clipped, not rounded.
        clean: True ones.

    Returns:
        `psnr` in decibels and `ssim`, float32 `[B]` each.
    """
    restored, clean = restored.float().clamp(0, LARGEST), clean.float()
    return {"psnr": decibels(restored, clean), "ssim": structural_similarity(restored, clean)}


def decibels(restored: Tensor, clean: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture `[B]`, at most `EQUAL_DB`."""
    squares = (restored - clean).square().flatten(1).mean(1)
    return (10 * torch.log10(LARGEST**2 / squares)).clamp(max=EQUAL_DB)


def structural_similarity(restored: Tensor, clean: Tensor) -> Tensor:
    """Structural similarity of each picture `[B]`, the mean over channels and places (Wang et al. 2004).

    Weighted by a Gaussian of 11x11 pixels and standard deviation 1.5, wherever that lies within the picture;
    pictures that are smaller have a smaller window.
    """
    height, width = restored.shape[2:]
    both = torch.stack([restored, clean]).flatten(0, 2)[:, None]
    first, second = both.chunk(2)
    size = min(_WINDOW, height - 1 + height % 2, width - 1 + width % 2)
    mean_1, mean_2 = _blurred(both, size).chunk(2)
    power_1, power_2 = _blurred(both.square(), size).chunk(2)
    product = _blurred(first * second, size)
    spread = power_1 - mean_1.square() + power_2 - mean_2.square()
    luminance, contrast = _STABILISERS
    similar = (2 * mean_1 * mean_2 + luminance) * (2 * (product - mean_1 * mean_2) + contrast)
    similar = similar / ((mean_1.square() + mean_2.square() + luminance) * (spread + contrast))
    return similar.view(len(restored), -1).mean(1)


def _blurred(images: Tensor, size: int) -> Tensor:
    """Images `[N, 1, H, W]` under a Gaussian window of `size` pixels, without their borders."""
    places = torch.arange(size, device=images.device, dtype=images.dtype) - (size - 1) / 2
    weights = torch.exp(-places.square() / (2 * _SIGMA**2))
    weights = weights / weights.sum()
    return F.conv2d(F.conv2d(images, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))
