"""Dice loss: overlap of regions."""

from __future__ import annotations

from torch import Tensor

from trainwright.losses.tversky import tversky

TARGETS = ("mask",)


def dice(output: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """One minus the Dice coefficient of each class: twice the common area through the sum of both areas.

    Milletari et al. 2016, https://arxiv.org/abs/1606.04797, with sums of probabilities instead of their
    squares, over the pixels of a picture that have a class. Small regions count like large ones.

    Args:
        output: Logits `[B, C, H, W]`.
        target: Class ids int64 `[B, H, W]`, or shares `[B, C, H, W]`.
        class_weights: Weight of each class `[C]` in the mean over classes.

    Returns:
        Loss per sample `[B]`: the mean over the classes that its mask shows, 0 where it shows none.
    """
    return tversky(output, target, class_weights, false_positives=0.5, false_negatives=0.5)
