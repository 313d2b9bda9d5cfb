"""Softmax cross-entropy."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.fields import OpenFraction
from trainwright.losses.reduction import VOID, over_pixels, weigh

TARGETS = ("category", "distribution", "mask")


def cross_entropy(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    *,
    label_smoothing: OpenFraction = 0.0,
) -> Tensor:
    """Negative log-likelihood of the true class under a softmax.

    Args:
        output: Logits `[B, C]`, or `[B, C, H, W]` of a mask.
        target: Class ids int64 `[B]`, or probabilities `[B, C]`; of a mask with `[H, W]` behind.
        class_weights: Weight of each class `[C]`; a sample, or a pixel, counts with the weight of its true
            class.
        label_smoothing: Share of the true class's probability that is spread evenly over all classes
            (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567).

    Returns:
        Loss per sample `[B]`, of a mask the mean over the pixels that have a class.
    """
    loss = F.cross_entropy(
        output, target, ignore_index=VOID, reduction="none", label_smoothing=label_smoothing
    )
    return over_pixels(weigh(loss, target, class_weights), target)
