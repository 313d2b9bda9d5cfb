"""Softmax cross-entropy."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.fields import OpenFraction
from trainwright.losses.reduction import weigh

TARGETS = ("category", "distribution")


def cross_entropy(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    *,
    label_smoothing: OpenFraction = 0.0,
) -> Tensor:
    """Negative log-likelihood of the true class under a softmax.

    Args:
        output: Logits `[B, C]`.
        target: Class ids int64 `[B]`, or probabilities `[B, C]`.
        class_weights: Weight of each class `[C]`; a sample counts with the weight of its true class.
        label_smoothing: Share of the true class's probability that is spread evenly over all classes
            (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567).

    Returns:
        Loss per sample `[B]`.
    """
    loss = F.cross_entropy(output, target, reduction="none", label_smoothing=label_smoothing)
    return loss if class_weights is None else weigh(loss, target, class_weights)
