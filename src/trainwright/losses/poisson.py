"""Poisson negative log-likelihood."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.losses.reduction import per_sample, same_shape

TARGETS = ("number",)


def poisson(
    output: Tensor, target: Tensor, class_weights: Tensor | None = None, *, log_input: bool = True
) -> Tensor:
    """Negative log-likelihood of a count, without the term that does not depend on the output.

    Args:
        output: Predictions `[B, K]`.
        target: True values `[B, K]`.
        class_weights: Not used: a number has no classes.
        log_input: The output is the logarithm of the rate; else the rate itself, which must be positive.

    Returns:
        Loss per sample `[B]`, the mean over its K values.
    """
    return per_sample(
        F.poisson_nll_loss(output, same_shape(output, target), log_input=log_input, reduction="none")
    )
