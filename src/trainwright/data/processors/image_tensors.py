"""Stored pixels on the model's device, before they are normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def at_size(stored: Tensor, size: tuple[int, int], *, crop: bool) -> Tensor:
    """Pixels `[B, h, w, C]` of the size that the model reads, of larger stored ones.

    Args:
        stored: `[B, H, W, C]`.
        size: Height and width of the result.
        crop: The centre is cut out; else the whole picture is resized.
    """
    import torch

    height, width = size
    if crop:
        top, left = (stored.shape[1] - height) // 2, (stored.shape[2] - width) // 2
        return stored[:, top : top + height, left : left + width]
    pixels = stored.permute(0, 3, 1, 2)
    # On the CPU in whole numbers, as Pillow does; an accelerator knows floats only.
    whole = stored.device.type == "cpu" and stored.dtype == torch.uint8
    resized = torch.nn.functional.interpolate(
        pixels if whole else pixels.float(), size, mode="bilinear", antialias=True
    )
    resized = resized if whole or stored.dtype != torch.uint8 else resized.round()
    return resized.to(stored.dtype).permute(0, 2, 3, 1)


def by_itself(images: Tensor, *, integral: bool) -> Tensor:
    """Images `[B, H, W, C]` divided by their own largest value, or mean; black ones stay black."""
    own = images.mean(dim=(1, 2, 3), keepdim=True) if integral else images.amax(dim=(1, 2, 3), keepdim=True)
    return images / own.clamp_min(1e-6)
