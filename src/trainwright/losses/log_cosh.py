"""Log-cosh loss."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from trainwright.losses.reduction import per_sample, same_shape

TARGETS = ("number", "image")


def log_cosh(output: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Logarithm of the hyperbolic cosine of the difference: smooth everywhere, linear far away.

    Args:
        output: Predictions `[B, K]`.
        target: True values `[B, K]`.
        class_weights: Not used: a number has no classes.

    Returns:
        Loss per sample `[B]`, the mean over its K values.
    """
    # cosh overflows from 89 on in float32; log cosh x = |x| + log(1 + exp(-2|x|)) - log 2 never does.
    distance = (output - same_shape(output, target)).abs()
    return per_sample(distance + F.softplus(-2 * distance) - math.log(2))
