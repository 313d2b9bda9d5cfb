"""Tversky loss: overlap of regions with a price of its own for each sort of error."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.fields import Positive
from trainwright.losses.reduction import has_class, one_hot, over_shown_classes

TARGETS = ("mask",)


def tversky(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    *,
    false_positives: Positive = 0.3,
    false_negatives: Positive = 0.7,
) -> Tensor:
    """One minus the Tversky index of each class, which is `TP / (TP + a FP + b FN)`.

    Salehi et al. 2017, https://arxiv.org/abs/1706.05721. TP, FP and FN are sums of probabilities over the
    pixels of a picture that have a class. With a = b = 0.5 it is the Dice loss.

    Args:
        output: Logits `[B, C, H, W]`.
        target: Class ids int64 `[B, H, W]`, or shares `[B, C, H, W]`.
        class_weights: Weight of each class `[C]` in the mean over classes.
        false_positives: Weight a of pixels that wrongly go to a class.
        false_negatives: Weight b of pixels of a class that it misses.

    Returns:
        Loss per sample `[B]`: the mean over the classes that its mask shows, 0 where it shows none.
    """
    known = has_class(target)[:, None]
    probabilities = (F.softmax(output, dim=1) * known).flatten(2)
    truth = one_hot(output, target).flatten(2)
    hits, extent = (probabilities * truth).sum(2), truth.sum(2)
    wrong = probabilities.sum(2) - hits
    index = hits / (hits + false_positives * wrong + false_negatives * (extent - hits)).clamp_min(1e-12)
    return over_shown_classes(1 - index, extent > 0, class_weights)
