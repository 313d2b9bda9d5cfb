"""Projections of weights after each optimizer step, in place.

A norm is that of the weights which lead to one output unit: over every axis but the first.
"""

from __future__ import annotations

from torch import Tensor

from trainwright.errors import ModelError
from trainwright.fields import Fraction, NonNegative, Positive

_TINY = 1e-7  # keeps a unit whose weights are all zero from becoming NaN


def max_norm(tensor: Tensor, *, maximum: Positive = 2.0) -> None:
    """Scales units whose norm is above `maximum` down to it: Srebro and Shraibman, COLT 2005."""
    norm = _norms(tensor)
    tensor.mul_(norm.clamp(max=maximum) / norm.clamp(min=_TINY))


def unit_norm(tensor: Tensor) -> None:
    """Scales every unit to norm 1."""
    tensor.div_(_norms(tensor).clamp(min=_TINY))


def non_neg(tensor: Tensor) -> None:
    """Sets negative weights to 0."""
    tensor.clamp_(min=0)


def min_max_norm(
    tensor: Tensor, *, minimum: NonNegative = 0.0, maximum: Positive = 1.0, rate: Fraction = 1.0
) -> None:
    """Moves every unit's norm into a range, by the share `rate` of the way at each step.

    Raises:
        ModelError: `minimum` is above `maximum`.
    """
    if minimum > maximum:
        raise ModelError(
            f"min_max_norm has a minimum of {minimum} above its maximum of {maximum}",
            where="constraint",
            fix="swap them",
        )
    norm = _norms(tensor)
    wanted = rate * norm.clamp(minimum, maximum) + (1 - rate) * norm
    tensor.mul_(wanted / norm.clamp(min=_TINY))


def _norms(tensor: Tensor) -> Tensor:
    """Norms `[units, 1, ...]`; of a bias, each value's own."""
    if tensor.ndim == 1:
        return tensor.abs()
    return tensor.flatten(1).norm(dim=1).view(-1, *[1] * (tensor.ndim - 1))
