"""Huber loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.fields import Positive
from trainwright.losses.reduction import per_sample, same_shape

TARGETS = ("number", "image")


def huber(
    output: Tensor, target: Tensor, class_weights: Tensor | None = None, *, delta: Positive = 1.0
) -> Tensor:
    """Squared (halved) up to `delta` from the target, linear beyond (Huber 1964).

    Args:
        output: Predictions `[B, K]`.
        target: True values `[B, K]`.
        class_weights: Not used: a number has no classes.
        delta: Difference at which the loss turns from quadratic to linear.

    Returns:
        Loss per sample `[B]`, the mean over its K values.
    """
    return per_sample(F.huber_loss(output, same_shape(output, target), reduction="none", delta=delta))
