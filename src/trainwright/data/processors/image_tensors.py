"""Batches of stored pictures on the model's device, before their normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.data.processors.image_bands import SCALE

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor


def in_steps_of_eight_bits(stored: Tensor) -> Tensor:
    """Values of 16 bits as float32 from 0 to 255; uint8 and floats as they are."""
    wide = stored.dtype.itemsize == 2 and not stored.is_floating_point()
    return stored.float() / SCALE if wide else stored


def at_size(stored: Tensor, store: tuple[int, int], size: tuple[int, int], rule: str) -> Tensor:
    """Pixels `[B, h, w, C]` of the size that the model reads, of larger stored ones `[B, H, W, C]`.

    Args:
        stored: uint8, or floats from 0 to 255.
        store: H and W.
        size: h and w.
        rule: `crop` the centre, or resize all of it, anti-aliased.
    """
    import torch

    height, width = size
    if rule == "crop":
        top, left = (store[0] - height) // 2, (store[1] - width) // 2
        return stored[:, top : top + height, left : left + width]
    pixels = stored.permute(0, 3, 1, 2)
    # On the CPU in whole numbers, as Pillow does; an accelerator knows floats only.
    whole = stored.device.type == "cpu" and stored.dtype == torch.uint8
    resized = torch.nn.functional.interpolate(
        pixels if whole else pixels.float(), size, mode="bilinear", antialias=True
    )
    resized = resized if whole or stored.dtype != torch.uint8 else resized.round()
    return resized.to(stored.dtype).permute(0, 2, 3, 1)


def by_itself(images: Tensor, rule: str) -> Tensor:
    """Images `[B, H, W, C]` divided by their own largest value, or mean (`integral`); black ones stay."""
    own = images.amax(dim=(1, 2, 3), keepdim=True)
    if rule == "integral":
        own = images.mean(dim=(1, 2, 3), keepdim=True)
    return images / own.clamp_min(1e-6)


def placed(pair: tuple[np.ndarray, np.ndarray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Offset and factor of a normalisation as float32 on a device."""
    import torch

    offset, factor = (torch.tensor(part, dtype=torch.float32, device=device) for part in pair)
    return offset, factor


def undone(images: Tensor, pair: tuple[np.ndarray, np.ndarray]) -> Tensor:
    """x, float32 `[B, C, H, W]`, of images that are x * factor + offset, both `[C]`."""
    offset, factor = placed(pair, images.device)
    return (images.float() - offset[:, None, None]) / factor[:, None, None]
