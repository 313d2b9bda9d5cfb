"""The size at which undescribed pictures are best read."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainwright.data.faults import in_groups
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.processors.image_bands import channels_last
from trainwright.data.processors.image_raw import Look, look
from trainwright.data.types import BadSample, RawFile, Values
from trainwright.errors import DataError
from trainwright.wording import counted

_LOOKED_AT = 100  # images whose size is looked at
_COLOURS = 4  # more bands than these are no colours
_PHOTO_SIZES = (224, 160, 128, 96, 64)


def image_column(values: Values) -> tuple[dict[str, Any], str]:
    """An image column with a size, and why that size."""
    if isinstance(values, np.ndarray) and values.dtype != object and values.ndim >= 3:
        height, width, count = channels_last(values.shape[1:])
        deep = {"depth": 16} if values.dtype == np.uint16 else {}
        more = {"mode": "bands"} if count > _COLOURS else {}
        return {"type": "image", "size": [height, width], **more, **deep}, f"images of {height}x{width}"
    some = _spread(values)
    looks = [seen for seen in map(_look, some) if seen is not None]
    if not looks:
        raise _unreadable(some)
    column, why = _sized(sorted(seen.size for seen in looks))
    bands = {seen.bands for seen in looks}
    if len(bands) == 1 and max(bands) > _COLOURS:
        column, why = {**column, "mode": "bands"}, f"{why}; {max(bands)} bands"
    bits = {seen.bits for seen in looks}
    if len(bits) == 1 and max(bits) > 8:
        column, why = {**column, "depth": max(bits)}, f"{why}; {max(bits)} bits per value"
    return column, why


def _sized(sizes: list[tuple[int, int]]) -> tuple[dict[str, Any], str]:
    """An image column for files of these sizes, sorted."""
    if len(set(sizes)) == 1 and max(sizes[0]) <= 512:
        return {
            "type": "image",
            "size": list(sizes[0]),
        }, f"all images looked at are {sizes[0][0]}x{sizes[0][1]}"
    short = sorted(min(size) for size in sizes)[len(sizes) // 2]
    side = next((size for size in _PHOTO_SIZES if size <= short), 32)
    why = f"images differ in size (short side: {short} pixels in the middle); cut to {side}x{side}"
    return {"type": "image", "size": side, "resize": "crop"}, why


def _unreadable(values: list[Any]) -> DataError:
    processor, bad = ImageProcessor(mode="rgb"), []
    for value in values:
        try:
            processor.encode(value)
        except BadSample as error:
            bad.append((str(getattr(value, "name", "")), error.reason))
    return DataError(
        f"not one of {counted(len(values), 'image')} that were looked at can be read",
        where="data",
        why=in_groups(bad),
        fix="check the files, or give the folder that holds the images",
    )


def _spread(values: Values) -> list[Any]:
    places = sorted({round(place) for place in np.linspace(0, len(values) - 1, _LOOKED_AT)})
    return [values[place] for place in places]


def _look(raw: Any) -> Look | None:
    return look(raw) if isinstance(raw, RawFile) else None
