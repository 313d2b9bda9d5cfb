"""Objects cut out of their pictures. No torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Window = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels."""


def window_of(box: Any, size: tuple[int, int], margin: float) -> Window | None:
    """The window around a box, within its picture; None where nothing of it lies there.

    Args:
        box: Left, top, right, bottom in pixels.
        size: Height and width of the picture.
        margin: Added on every side, as a share of the box's own width and height.
    """
    left, top, right, bottom = (float(value) for value in box)
    if not np.isfinite([left, top, right, bottom]).all() or right <= left or bottom <= top:
        return None
    aside, above = margin * (right - left), margin * (bottom - top)
    height, width = size
    first, last = max(0, round(left - aside)), min(width, round(right + aside))
    high, low = max(0, round(top - above)), min(height, round(bottom + above))
    return (first, high, last, low) if last > first and low > high else None


def cut(pixels: npt.NDArray[np.uint8], window: Window) -> npt.NDArray[np.uint8]:
    """The window's pixels `[h, w, C]` of a picture `[H, W, C]`."""
    left, top, right, bottom = window
    return np.ascontiguousarray(pixels[top:bottom, left:right])
