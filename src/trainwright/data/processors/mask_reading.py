"""The pixels of a mask file as they stand there, no value scaled, turned as its picture is."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from trainwright.data.processors import image_decoding as decoding
from trainwright.data.processors.image_raw import file_bytes
from trainwright.data.types import BadSample


def pixels_of(value: Any) -> np.ndarray:
    """Ids `[H, W]` or colours uint8 `[H, W, 3]` of a mask file or array.

    Raises:
        BadSample: It is no mask, or damaged.
    """
    data = file_bytes(value)
    if data is None:
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        if array.ndim not in (2, 3) or array.dtype.kind not in "iub" or not array.size:
            raise BadSample(f"an array of shape {list(array.shape)} and type {array.dtype} is no mask")
        return array.astype(np.uint8) if array.dtype == bool else array
    with decoding.opened(data) as image:
        if image.mode in ("P", "L", "1", "LA", "PA", *decoding.SIXTEEN_BIT):
            pixels = np.asarray(image)
            pixels = pixels[:, :, 0] if pixels.ndim == 3 else pixels
            return pixels.astype(np.uint8) if pixels.dtype == bool else pixels
        if image.mode in ("RGB", "RGBA"):
            pixels = np.asarray(image)[:, :, :3]
            gray = (pixels[:, :, :1] == pixels).all()
            return pixels[:, :, 0] if gray else pixels
        raise BadSample(f"a mask has ids or colours, not mode {image.mode}")


def upright_like(pixels: np.ndarray, picture: Any) -> np.ndarray:
    """Pixels turned as the picture is, where they have its stored size only.

    Args:
        pixels: Of a mask.
        picture: Raw value of its picture; None where there is none to compare with.

    Raises:
        BadSample: The mask has another size than the picture.
    """
    if picture is None:
        return pixels
    size = pixels.shape[:2]
    data = file_bytes(picture)
    stored: tuple[int, ...]
    if data is None:
        shape = list(np.shape(np.asarray(picture)))
        channels_first = len(shape) == 3 and shape[2] not in (1, 2, 3, 4) and shape[0] in (1, 2, 3, 4)
        stored, turn = tuple(shape[1:] if channels_first else shape[:2]), 1
        upright = stored
    else:
        stored, turn = decoding.stored_size(data)
        upright = stored[::-1] if turn in (5, 6, 7, 8) else stored
    if size == upright:
        return pixels
    if size == stored:
        return _turned(pixels, turn)
    raise BadSample(f"the mask is {size[0]}x{size[1]}, its picture {upright[0]}x{upright[1]}")


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    if pixels.ndim == 3:
        return np.stack([_turned(pixels[:, :, place], orientation) for place in range(3)], axis=2)
    image = Image.fromarray(pixels.astype(np.int32))
    return np.asarray(image.transpose(decoding.TRANSPOSE[orientation])).astype(pixels.dtype)
