"""Mean absolute error."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.losses.reduction import per_sample, same_shape

TARGETS = ("number", "image")


def mae(output: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Absolute difference.

    Args:
        output: Predictions `[B, K]`.
        target: True values `[B, K]`.
        class_weights: Not used: a number has no classes.

    Returns:
        Loss per sample `[B]`, the mean over its K values.
    """
    return per_sample(F.l1_loss(output, same_shape(output, target), reduction="none"))
