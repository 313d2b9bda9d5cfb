"""Projections of weights after each optimizer step, in place.

A norm is that of the weights which lead to one output unit: over every axis but the first.
"""

from __future__ import annotations

from torch import Tensor

from trainwright.errors import ModelError
from trainwright.fields import Fraction, NonNegative, Positive

_TINY = 1e-7  # keeps a unit whose weights are all zero from becoming NaN


def max_norm(weight: Tensor, *, maximum: Positive = 2.0) -> None:
    """Scales units whose norm is above `maximum` down to it: Srebro and Shraibman, COLT 2005."""
    norm = _norms(weight)
    weight.mul_(norm.clamp(max=maximum) / norm.clamp(min=_TINY))


def unit_norm(weight: Tensor) -> None:
    """Scales every unit to norm 1."""
    weight.div_(_norms(weight).clamp(min=_TINY))


def non_neg(weight: Tensor) -> None:
    """Sets negative weights to 0."""
    weight.clamp_(min=0)


def min_max_norm(
    weight: Tensor, *, minimum: NonNegative = 0.0, maximum: Positive = 1.0, rate: Fraction = 1.0
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
    norm = _norms(weight)
    wanted = rate * norm.clamp(minimum, maximum) + (1 - rate) * norm
    weight.mul_(wanted / norm.clamp(min=_TINY))


def _norms(weight: Tensor) -> Tensor:
    """Norms `[units, 1, ...]`; of a bias, each value's own."""
    if weight.ndim == 1:
        return weight.abs()
    return weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.ndim - 1))
