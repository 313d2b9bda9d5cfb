"""Binary cross-entropy, one class against the rest."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.losses.reduction import one_hot, per_sample, weigh

TARGETS = ("category",)


def bce(output: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of every class against the rest, averaged over the classes.

    Args:
        output: Logits `[B, C]`, each through its own sigmoid.
        target: Class ids int64 `[B]`, or 0..1 per class `[B, C]`.
        class_weights: Weight of each class `[C]`.

    Returns:
        Loss per sample `[B]`.
    """
    loss = F.binary_cross_entropy_with_logits(output, one_hot(output, target), reduction="none")
    return weigh(per_sample(loss), target, class_weights)
