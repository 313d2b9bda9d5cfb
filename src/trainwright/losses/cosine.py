"""Cosine distance."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.losses.reduction import one_hot, weigh

TARGETS = ("category", "number")


def cosine(output: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """One minus the cosine of the angle between output and target: 0 when aligned, 2 when opposite.

    With class ids the target is the class's axis (Barz and Denzler 2020, https://arxiv.org/abs/1901.09054).

    Args:
        output: `[B, C]` or `[B, K]`.
        target: Class ids int64 `[B]`, or a vector per sample `[B, K]`.
        class_weights: Weight of each class `[C]`, for class ids.

    Returns:
        Loss per sample `[B]`.
    """
    return weigh(1 - F.cosine_similarity(output, one_hot(output, target), dim=1), target, class_weights)
