"""Binary cross-entropy, one class against the rest."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.fields import OpenFraction
from trainwright.losses.reduction import one_hot, per_sample, weigh

TARGETS = ("category", "categories")


def bce(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    spec: TensorSpec | None = None,
    *,
    label_smoothing: OpenFraction = 0.0,
) -> Tensor:
    """Binary cross-entropy of every class against the rest, averaged over the classes.

    Args:
        output: Logits `[B, C]`, each through its own sigmoid.
        target: Class ids int64 `[B]`, or 0..1 per class `[B, C]`.
        class_weights: Weight of each class `[C]`. Where a sample has any number of classes it weighs the
            class's term, present or not; else the sample, by its true class.
        spec: Tells the one from the other; one class per sample when absent.
        label_smoothing: How far each yes and no is moved towards one half, as a share of the way.

    Returns:
        Loss per sample `[B]`.
    """
    wanted = one_hot(output, target)
    if label_smoothing:
        wanted = wanted * (1 - label_smoothing) + label_smoothing / 2
    loss = F.binary_cross_entropy_with_logits(output, wanted, reduction="none")
    if spec is not None and spec.type == "categories":
        return per_sample(loss if class_weights is None else loss * class_weights.to(loss.dtype))
    return weigh(per_sample(loss), target, class_weights)
