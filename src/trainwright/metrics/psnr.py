"""Peak signal-to-noise ratio."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"psnr": True}
TARGETS = ("image",)
SHOWN = 8
"""Pictures of the lowest ratio whose answers are kept and shown."""


def psnr(output: Any, target: Any) -> dict[str, float]:
    """Mean over the pictures of `10 log10(255^2 / mean squared error)`, of pixels from 0 to 255.

    Args:
        output: `psnr` of every picture `[N]`, see `tasks.supervised.picture_errors`.
        target: Not used.

    Returns:
        `psnr` in decibels; a picture without any error counts as 100.
    """
    return {"psnr": float(floats(output["psnr"]).mean(dtype="float64"))}


def worst_pictures(decibels: Any) -> list[int]:
    """Places of the pictures that are shown, the worst first, by their ratios `[N]`."""
    places: list[int] = np.argsort(np.asarray(decibels), kind="stable")[:SHOWN].tolist()
    return places
