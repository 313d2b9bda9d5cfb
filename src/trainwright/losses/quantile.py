"""Quantile loss."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from trainwright.losses.reduction import per_sample, same_shape

TARGETS = ("number",)


def quantile(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    *,
    q: Annotated[float, Interval(gt=0, lt=1)] = 0.5,
) -> Tensor:
    """Pinball loss, which is least where a share `q` of the true values lies below the prediction.

    Koenker and Bassett, Econometrica 1978.

    Args:
        output: Predictions `[B, K]`.
        target: True values `[B, K]`.
        class_weights: Not used: a number has no classes.
        q: The quantile; one half is the median, with half the absolute error.

    Returns:
        Loss per sample `[B]`, the mean over its K values.
    """
    below = same_shape(output, target) - output
    return per_sample(torch.maximum(q * below, (q - 1) * below))
