"""From loss values of any shape to one value per sample, weighed by the true class."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.errors import ModelError


def per_sample(values: Tensor) -> Tensor:
    """Means over everything but the batch axis: `[B, ...]` to `[B]`."""
    return values if values.dim() == 1 else values.flatten(1).mean(1)


def weigh(loss: Tensor, target: Tensor, class_weights: Tensor | None) -> Tensor:
    """Multiplies each sample's loss by the weight of its true class.

    Args:
        loss: `[B]`.
        target: Class ids int64 `[B]`, or probabilities `[B, C]` for the expected weight.
        class_weights: `[C]`, or None to leave the loss as it is.
    """
    if class_weights is None:
        return loss
    if target.is_floating_point():
        return loss * (target @ class_weights.to(target.dtype))
    return loss * class_weights[target]


def one_hot(output: Tensor, target: Tensor) -> Tensor:
    """The target as floats in the shape of `output`: class ids become one-hot rows."""
    if target.is_floating_point():
        return same_shape(output, target)
    return F.one_hot(target, output.shape[1]).to(output.dtype)


def same_shape(output: Tensor, target: Tensor) -> Tensor:
    """`target`, after making sure that nothing broadcasts.

    Raises:
        ModelError: `[B, 1]` against `[B]` would silently give `[B, B]` differences.
    """
    if output.shape != target.shape:
        raise ModelError(
            f"the model's output has shape {list(output.shape)}, the target {list(target.shape)}",
            why="this loss compares them value by value",
            fix="let the model give one value per target value, or choose a loss for class ids",
        )
    return target
