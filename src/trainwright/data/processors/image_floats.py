"""Pixels that stay floats: neither rounded to whole numbers nor clipped to 0 to 255."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainwright.data.geometry import Geometry
from trainwright.data.processors import image_decoding as decoding
from trainwright.data.processors.image_raw import as_array, as_hwc
from trainwright.data.types import BadSample

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R 601, as Pillow's


def float_pixels(
    raw: Any, scale: float, mode: decoding.ColourMode, geometry: Geometry
) -> npt.NDArray[np.float32]:
    """An array as pixels `[H, W, C]`, of which 0 is black and 255 is white.

    Args:
        raw: An array or tensor `[H, W]`, `[H, W, C]` or `[C, H, W]`.
        scale: What float pixels are multiplied with; bool is multiplied with 255, uint16 divided by 257.
        mode: Colour mode of the result.
        geometry: Size of the result and how it comes about.

    Raises:
        BadSample: The shape is that of no image, or a pixel is NaN or infinite.
    """
    array = as_hwc(as_array(raw))
    if array.size == 0:
        raise BadSample(f"an array of shape {list(array.shape)} has no pixels")
    factor = {"f": scale, "b": 255.0}.get(array.dtype.kind, 1 / 257 if array.dtype == np.uint16 else 1.0)
    pixels = array.astype(np.float32) * np.float32(factor)
    if not np.isfinite(pixels).all():
        raise BadSample("a pixel is NaN or infinite")
    pixels = _coloured(pixels, mode)
    if geometry.size is None or pixels.shape[:2] == geometry.size:
        return pixels
    bands = [decoding.resize(Image.fromarray(band), geometry) for band in np.moveaxis(pixels, 2, 0)]
    return np.stack([np.asarray(band) for band in bands], axis=2)


def _coloured(pixels: npt.NDArray[np.float32], mode: decoding.ColourMode) -> npt.NDArray[np.float32]:
    colours, alpha = pixels[:, :, :3], pixels[:, :, 3:]
    if pixels.shape[2] == 2:
        colours, alpha = pixels[:, :, :1], pixels[:, :, 1:]
    if mode == "gray":
        return colours if colours.shape[2] == 1 else (colours @ _LUMA)[:, :, None]
    colours = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours
    if mode == "rgb":
        return colours
    return np.concatenate([colours, alpha if alpha.size else np.full_like(colours[:, :, :1], 255)], axis=2)
