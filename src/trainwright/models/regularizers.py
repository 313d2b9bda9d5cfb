"""Penalties on weights, added to the loss."""

from __future__ import annotations

from torch import Tensor

from trainwright.fields import NonNegative


def l1(tensor: Tensor, *, strength: NonNegative = 0.01) -> Tensor:
    """`strength` times the sum of absolute values, a scalar."""
    return strength * tensor.abs().sum()


def l2(tensor: Tensor, *, strength: NonNegative = 0.01) -> Tensor:
    """`strength` times the sum of squares, a scalar."""
    return strength * tensor.square().sum()


def l1_l2(tensor: Tensor, *, l1: NonNegative = 0.01, l2: NonNegative = 0.01) -> Tensor:
    """Both: `l1 * sum |w| + l2 * sum w^2`, a scalar."""
    return l1 * tensor.abs().sum() + l2 * tensor.square().sum()
