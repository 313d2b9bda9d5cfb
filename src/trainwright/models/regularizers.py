"""Penalties on weights, added to the loss."""

from __future__ import annotations

from torch import Tensor

from trainwright.fields import NonNegative


def l1(weight: Tensor, *, strength: NonNegative = 0.01) -> Tensor:
    """`strength` times the sum of absolute values, a scalar."""
    return strength * weight.abs().sum()


def l2(weight: Tensor, *, strength: NonNegative = 0.01) -> Tensor:
    """`strength` times the sum of squares, a scalar."""
    return strength * weight.square().sum()


def l1_l2(weight: Tensor, *, l1: NonNegative = 0.01, l2: NonNegative = 0.01) -> Tensor:
    """Both: `l1 * sum |w| + l2 * sum w^2`, a scalar."""
    return l1 * weight.abs().sum() + l2 * weight.square().sum()
