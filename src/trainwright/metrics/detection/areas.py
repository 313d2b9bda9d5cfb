"""Areas of objects in pixels of the pictures that were annotated, whatever size a model sees them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.metrics.arrays import Floats, floats

Doubles = npt.NDArray[np.float64]


def in_original_pixels(target: Mapping[str, Any], found: Floats, true: Floats) -> tuple[Doubles, Doubles]:
    """Areas of what was found `[N, K]` and of what there is `[N, M]`.

    Args:
        target: Has `pixel_size` `[N, 2]` where the pictures were resized, and `areas` `[N, M]` where the
            annotation states some, below 0 for the others.
        found: Areas in processed pixels.
        true: Likewise.
    """
    factor = pixel_sizes(target, len(true)).prod(axis=1, keepdims=True)
    ours: Doubles = true.astype(np.float64) * factor
    if "areas" in target:
        stated = floats(target["areas"]).astype(np.float64)
        ours = np.where(stated >= 0, stated, ours)
    return found.astype(np.float64) * factor, ours


def pixel_sizes(target: Mapping[str, Any], count: int) -> Doubles:
    """Width and height of a processed pixel in pixels of the original, float64 `[N, 2]`; 1 where unknown."""
    if "pixel_size" not in target:
        return np.ones((count, 2))
    sizes: Doubles = floats(target["pixel_size"]).astype(np.float64)
    return sizes
