"""The size at which undescribed pictures are best read."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainwright.data.processors import image_decoding
from trainwright.data.types import BadSample, RawFile, Values
from trainwright.errors import DataError

_LOOKED_AT = 100  # images whose size is looked at
_PHOTO_SIZES = (224, 160, 128, 96, 64)


def image_column(values: Values) -> tuple[dict[str, Any], str]:
    """An image column with a size, and why that size."""
    if isinstance(values, np.ndarray) and values.dtype != object and values.ndim >= 3:
        shape = values.shape[1:]
        size = list(shape[:2]) if len(shape) == 2 or shape[2] in (1, 3, 4) else list(shape[1:])
        return {"type": "image", "size": size}, f"images of {size[0]}x{size[1]}"
    sizes = sorted(size for size in map(_file_size, _spread(values)) if size is not None)
    if not sizes:
        raise DataError("none of the first images can be read", where="data")
    if len(set(sizes)) == 1 and max(sizes[0]) <= 512:
        return {
            "type": "image",
            "size": list(sizes[0]),
        }, f"all images looked at are {sizes[0][0]}x{sizes[0][1]}"
    short = sorted(min(size) for size in sizes)[len(sizes) // 2]
    side = next((size for size in _PHOTO_SIZES if size <= short), 32)
    why = f"images differ in size (short side: {short} pixels in the middle); cut to {side}x{side}"
    return {"type": "image", "size": side, "resize": "crop"}, why


def _spread(values: Values) -> list[Any]:
    places = sorted({round(place) for place in np.linspace(0, len(values) - 1, _LOOKED_AT)})
    return [values[place] for place in places]


def _file_size(raw: Any) -> tuple[int, int] | None:
    try:
        data = raw.read() if isinstance(raw, RawFile) else None
        return None if data is None else image_decoding.size_and_mode(data)[:2]
    except (BadSample, OSError, KeyError):
        return None
