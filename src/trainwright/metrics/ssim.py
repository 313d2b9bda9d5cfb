"""Structural similarity."""

from __future__ import annotations

from typing import Any

from trainwright.metrics.arrays import floats

GREATER_IS_BETTER = {"ssim": True}
TARGETS = ("image",)


def ssim(output: Any, target: Any) -> dict[str, float]:
    """Mean structural similarity of the pictures (Wang et al., IEEE TIP 2004).

    Args:
        output: `ssim` of every picture `[N]`, see `tasks.supervised.picture_errors`.
        target: Not used.

    Returns:
        `ssim`, at most 1, which equal pictures have.
    """
    return {"ssim": float(floats(output["ssim"]).mean(dtype="float64"))}
