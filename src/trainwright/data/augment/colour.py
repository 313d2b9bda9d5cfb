"""Changes of colour as plain functions of float images `[B, H, W, C]` from 0 to 255 and an amount per image.

Amounts are float32 tensors `[B]`. Except for `hue` and `saturation`, which leave images that have no three
channels alone, all of them work for any number of channels. Results may leave 0 to 255.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiplied by the factor; 0 is black."""
    return images * _each(factor)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Differences from the mean luma multiplied by the factor; 0 is gray."""
    middle = luma(images).flatten(1).mean(1)[:, None, None, None]
    return middle + (images - middle) * _each(factor)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Differences from each pixel's luma multiplied by the factor; 0 has no colour."""
    if images.shape[3] != 3:
        return images
    gray = luma(images)
    return gray + (images - gray) * _each(factor)


def hue(images: Tensor, turn: Tensor) -> Tensor:
    """Chroma turned in the YIQ plane by a share of the full circle."""
    if images.shape[3] != 3:
        return images
    angle = turn * (2 * torch.pi)
    cosine, sine = _each(angle.cos())[..., 0], _each(angle.sin())[..., 0]
    r, g, b = images.unbind(3)
    y = _LUMA[0] * r + _LUMA[1] * g + _LUMA[2] * b
    i = 0.5959 * r - 0.2746 * g - 0.3213 * b
    q = 0.2115 * r - 0.5227 * g + 0.3112 * b
    i, q = i * cosine - q * sine, i * sine + q * cosine
    # The inverse of the matrix above; the luma stays.
    return torch.stack([y + 0.956 * i + 0.619 * q, y - 0.272 * i - 0.647 * q, y - 1.106 * i + 1.703 * q], 3)


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Values from the threshold on become 255 minus themselves."""
    return torch.where(images >= _each(threshold), 255 - images, images)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Only the upper bits (0 to 8) are kept."""
    step = _each(torch.exp2(8 - bits.round()))
    return (images / step).floor() * step


def auto_contrast(images: Tensor) -> Tensor:
    """Each channel stretched to 0 to 255."""
    flat = images.flatten(1, 2)
    low, high = flat.amin(1)[:, None, None], flat.amax(1)[:, None, None]
    span = high - low
    return torch.where(span > 0, (images - low) * (255 / span.clamp_min(1e-6)), images)


def equalize(images: Tensor) -> Tensor:
    """Each channel with an even histogram of 256 values, by Pillow's rule."""
    count, height, width, channels = images.shape
    values = images.round().clamp(0, 255).long().permute(0, 3, 1, 2).reshape(count * channels, -1)
    counts = torch.zeros(count * channels, 256, dtype=torch.long, device=images.device)
    counts.scatter_add_(1, values, torch.ones_like(values))
    last = (counts > 0).long().mul(torch.arange(256, device=images.device)).amax(1, keepdim=True)
    step = (height * width - counts.gather(1, last)) // 255
    table = ((counts.cumsum(1) - counts + step // 2) // step.clamp_min(1)).clamp(0, 255)
    table = torch.where(step > 0, table, torch.arange(256, device=images.device))
    equal = table.gather(1, values).view(count, channels, height, width).permute(0, 2, 3, 1)
    return equal.to(images.dtype)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Differences from the smoothed image multiplied by the factor; 1 leaves it, the border stays."""
    smooth = images.clone()
    inner = sum(
        (5.0 if (dy, dx) == (1, 1) else 1.0)
        * images[:, dy : dy + images.shape[1] - 2, dx : dx + images.shape[2] - 2]
        for dy in range(3)
        for dx in range(3)
    )
    smooth[:, 1:-1, 1:-1] = inner / 13
    return smooth + (images - smooth) * _each(factor)


def luma(images: Tensor) -> Tensor:
    """Brightness `[B, H, W, 1]`: BT.601 of three channels, else the mean over channels."""
    if images.shape[3] != 3:
        return images.mean(3, keepdim=True)
    r, g, b = images.unbind(3)
    return (_LUMA[0] * r + _LUMA[1] * g + _LUMA[2] * b)[..., None]


def _each(amount: Tensor) -> Tensor:
    return amount[:, None, None, None]
