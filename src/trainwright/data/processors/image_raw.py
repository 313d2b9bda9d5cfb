"""Raw values of an image column: what they are, and their pixels before any processing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.archive import ArchiveError
from trainwright.data.processors import image_bands, npy_file
from trainwright.data.processors import image_decoding as decoding
from trainwright.data.types import BadSample, RawFile


class Look:
    """What one raw value shows of itself before it is decoded: `bands` and `bits` per value, too."""

    def __init__(
        self, size: tuple[int, int], mode: str, largest: float, bands: int = 3, bits: int = 8
    ) -> None:
        self.size, self.mode, self.largest, self.bands, self.bits = size, mode, largest, bands, bits


def look(raw: Any) -> Look | None:
    """Size, mode and (of float arrays) largest value; None where it cannot be read."""
    try:
        data = file_bytes(raw)
        if data is not None and data.startswith(npy_file.MAGIC):
            raw, data = npy_file.read(data), None
        if data is not None:
            return _look_at_file(data)
        if is_picture(raw):
            gray = raw.mode in ("1", "L", "LA", "I", "I;16")
            return Look((raw.height, raw.width), "gray" if gray else "rgb", 0.0, len(raw.getbands()))
        array = as_hwc(as_array(raw), bands=True)
        largest = float(array.max(initial=0)) if array.dtype.kind == "f" else 0.0
        height, width, bands = array.shape
        bits = 32 if array.dtype.kind == "f" else 8 if array.dtype.itemsize == 1 else 16
        return Look((height, width), "gray" if bands in (1, 2) else "rgb", largest, bands, bits)
    except BadSample:
        return None


def _look_at_file(data: bytes) -> Look:
    form = image_bands.form_of(data)
    try:
        mode = decoding.size_and_mode(data)[2]
    except BadSample:  # of a form that only `image_bands` reads
        mode = "rgb"
    return Look(form.size, mode, 0.0, form.bands, form.bits)


def file_bytes(raw: Any) -> bytes | None:
    """The bytes of a file, a path or bytes; None for a value that holds pixels."""
    try:
        if isinstance(raw, RawFile):
            return raw.read()
        if isinstance(raw, str | Path):
            return Path(raw).read_bytes()
    except FileNotFoundError:
        raise BadSample("the file does not exist") from None
    except (OSError, KeyError, ArchiveError) as error:
        raise BadSample(f"the file cannot be read: {error}") from error
    return bytes(raw) if isinstance(raw, bytes | bytearray | memoryview) else None


def is_picture(raw: Any) -> bool:
    return isinstance(raw, decoding.Image.Image)


def as_array(raw: Any) -> np.ndarray:
    array = raw.detach().cpu().numpy() if hasattr(raw, "detach") else np.asarray(raw)
    if array.dtype.kind not in "buif":
        raise BadSample(f"{type(raw).__name__} is neither an image file nor pixels")
    return array


def as_hwc(array: np.ndarray, *, bands: bool = False) -> np.ndarray:
    """Pixels as `[H, W, C]`; the channel axis is the last, or the first where only that can be it.

    Args:
        array: `[H, W]`, `[H, W, C]` or `[C, H, W]`.
        bands: Whether there may be more than four channels.
    """
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim == 3 and array.shape[2] in (1, 2, 3, 4):
        return array
    if array.ndim == 3 and array.shape[0] in (1, 2, 3, 4):
        return array.transpose(1, 2, 0)
    if bands:
        return image_bands.picture_values(array)
    more = "; mode: bands reads pictures of more than four channels" if array.ndim == 3 else ""
    raise BadSample(f"an array of shape {list(array.shape)} is no image{more}")


def _out_of_range(array: np.ndarray, float_scale: float) -> str:
    low, high = array.min(), array.max()
    if array.dtype.kind != "f":
        return f"pixels go from {low} to {high} where they may go from 0 to 255"
    largest = 255 / float_scale
    return (
        f"floating-point pixels go from {low:.4g} to {high:.4g}, but are read as 0 to {largest:g} as in "
        f"training; scale them, or give whole numbers from 0 to 255"
    )


def as_picture(raw: Any, float_scale: float) -> decoding.Image.Image:
    """Pixels as a Pillow image.

    Args:
        raw: A Pillow image, or an array or tensor `[H, W]`, `[H, W, C]` or `[C, H, W]` of uint8, bool
            (times 255), uint16 (divided by 257) or float.
        float_scale: What float pixels are multiplied with to lie in 0 to 255.

    Raises:
        BadSample: The shape is that of no image, or a pixel is NaN, infinite or out of range.
    """
    if is_picture(raw):
        return raw
    array = as_hwc(as_array(raw))
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise BadSample("a pixel is NaN or infinite")
        scaled = np.rint(array.astype(np.float64) * float_scale)
    elif array.dtype == bool:
        scaled = array * 255
    else:
        scaled = (array.astype(np.uint32) + 128) // 257 if array.dtype == np.uint16 else array
    if scaled.size == 0:
        raise BadSample(f"an array of shape {list(array.shape)} has no pixels")
    if scaled.min() < 0 or scaled.max() > 255:
        raise BadSample(_out_of_range(array, float_scale))
    pixels = np.ascontiguousarray(scaled.astype(np.uint8))
    return decoding.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
