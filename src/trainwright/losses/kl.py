"""Kullback-Leibler divergence."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.losses.reduction import one_hot, weigh

TARGETS = ("category", "distribution")


def kl(output: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Divergence of the predicted from the true distribution: `sum t (log t - log softmax(output))`.

    For class ids, which are certain, this is the cross-entropy.

    Args:
        output: Logits `[B, C]`.
        target: Probabilities `[B, C]`, or class ids int64 `[B]`.
        class_weights: Weight of each class `[C]`.

    Returns:
        Loss per sample `[B]`, in nats.
    """
    loss = F.kl_div(F.log_softmax(output, dim=1), one_hot(output, target), reduction="none").sum(1)
    return weigh(loss, target, class_weights)
