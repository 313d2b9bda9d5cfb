"""Stochastic gradient descent."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, can_fuse, parameter_groups
from trainwright.errors import RecipeError
from trainwright.fields import Fraction, NonNegative, OpenFraction, Positive

DEAD_WHEN = {
    "sgd": {
        "nesterov": "momentum == 0",
        "dampening": "momentum == 0",
        "decay_norm_and_bias": "weight_decay == 0",
    }
}


def sgd(
    params: NamedParameters,
    *,
    lr: Positive = 1e-2,
    momentum: OpenFraction = 0.0,
    dampening: Fraction = 0.0,
    nesterov: bool = False,
    weight_decay: NonNegative = 0.0,
    decay_norm_and_bias: bool = True,
) -> torch.optim.Optimizer:
    """Gradient descent, with momentum: Sutskever et al., ICML 2013.

    Args:
        params: Names and parameters.
        lr: Learning rate.
        momentum: Share of the last update that is kept.
        dampening: Share of the gradient that momentum leaves out.
        nesterov: Look ahead along the momentum.
        weight_decay: L2 penalty, added to the gradient.
        decay_norm_and_bias: Biases and normalisation scales are penalised too, as in plain PyTorch.

    Raises:
        RecipeError: Nesterov momentum together with dampening, which contradict each other.
    """
    if nesterov and dampening:
        raise RecipeError(
            "nesterov momentum has no dampening",
            where="train.optimizer.dampening",
            fix="leave dampening out, or set nesterov: false",
        )
    return torch.optim.SGD(
        parameter_groups(params, weight_decay, decay_norm_and_bias),
        lr=lr,
        momentum=momentum,
        dampening=dampening,
        nesterov=nesterov and momentum > 0,
        fused=can_fuse(params),
    )
