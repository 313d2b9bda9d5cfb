"""How near predicted masks come, of a head that does not compare them itself."""

from __future__ import annotations

from torch import Tensor

from trainwright.models.heads.class_maps import boundary_matches, confusion

TOLERANCE = 3
"""Pixels by which a boundary may be missed and still counts as met."""


def mask_errors(answer: Tensor, target: Tensor, classes: int, void: int | None) -> dict[str, Tensor]:
    """Counts per sample instead of maps.

    Args:
        answer: Class ids `[B, H, W]`, each of some class.
        target: True ids `[B, H, W]`.
        classes: Number of classes.
        void: Id of pixels without a class.

    Returns:
        `confusion` int32 `[B, C, C]`, true classes in rows; `boundary` int32 `[B, C, 4]`.
    """
    predicted = answer.long()
    true = target.long() if void is None else target.long().masked_fill(target == void, -1)
    return {
        "confusion": confusion(predicted, true, classes),
        "boundary": boundary_matches(predicted, true, classes, TOLERANCE),
    }
