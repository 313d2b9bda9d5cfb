"""From loss values of any shape to one value per sample, weighed by the true class."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from trainwright.errors import ModelError


def per_sample(values: Tensor) -> Tensor:
    """Means over everything but the batch axis: `[B, ...]` to `[B]`."""
    return values if values.dim() == 1 else values.flatten(1).mean(1)


VOID = -100
"""Class id of a pixel that has no class and takes no part in a loss; torch's own losses know it."""


def weigh(loss: Tensor, target: Tensor, class_weights: Tensor | None) -> Tensor:
    """Multiplies the loss of each sample, or of each pixel, by the weight of its true class.

    Args:
        loss: `[B]` or `[B, H, W]`.
        target: Class ids int64 of the same shape, or probabilities with a class axis in the second place for
            the expected weight.
        class_weights: `[C]`, or None to leave the loss as it is.
    """
    if class_weights is None:
        return loss
    if target.is_floating_point():
        weights = class_weights.to(target.dtype)
        expected = target @ weights if target.dim() == 2 else torch.einsum("bc...,c->b...", target, weights)
        return loss * expected
    return loss * class_weights[target if target.dim() == 1 else target.clamp_min(0)]


def over_pixels(loss: Tensor, target: Tensor) -> Tensor:
    """Mean over the pixels that have a class: `[B, H, W]` to `[B]`, 0 where no pixel has one.

    Args:
        loss: Of each pixel; `[B]` of whole samples is left as it is.
        target: Class ids int64 `[B, H, W]`, negative without a class, or shares `[B, C, H, W]`, then all 0.
    """
    if loss.dim() == 1:
        return loss
    known = has_class(target)
    total = torch.where(known, loss, 0).flatten(1).sum(1)
    return total / known.flatten(1).sum(1).clamp_min(1)


def has_class(target: Tensor) -> Tensor:
    """Pixels that have a class, bool `[B, H, W]`."""
    return target.sum(1) > 0 if target.is_floating_point() else target >= 0


def over_shown_classes(loss: Tensor, shown: Tensor, class_weights: Tensor | None) -> Tensor:
    """Mean over the classes that each sample's mask shows, 0 where it shows none.

    A class that a picture does not show has no region that could be met, and any loss of it would only pull
    its probability down in proportion to nothing.

    Args:
        loss: `[B, C]`.
        shown: bool `[B, C]`.
        class_weights: `[C]`, or None.
    """
    weights = shown.to(loss.dtype) if class_weights is None else shown * class_weights
    total = weights.sum(1)
    return (loss * weights).sum(1) / total.where(total > 0, 1)


def one_hot(output: Tensor, target: Tensor) -> Tensor:
    """The target as floats in the shape of `output`: class ids become one-hot, pixels without a class 0."""
    if target.is_floating_point():
        return same_shape(output, target)
    if target.dim() == 1:
        return F.one_hot(target, output.shape[1]).to(output.dtype)
    rows = torch.zeros_like(output).scatter_(1, target.clamp_min(0)[:, None], 1)
    return rows.mul_((target >= 0)[:, None])


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
