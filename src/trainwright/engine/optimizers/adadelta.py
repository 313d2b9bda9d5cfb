"""Adadelta."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, parameter_groups
from trainwright.fields import NonNegative, OpenFraction, Positive

DEAD_WHEN = {"adadelta": {"decay_norm_and_bias": "weight_decay == 0"}}


def adadelta(
    params: NamedParameters,
    *,
    lr: Positive = 1.0,
    rho: OpenFraction = 0.9,
    eps: Positive = 1e-6,
    weight_decay: NonNegative = 0.0,
    decay_norm_and_bias: bool = True,
) -> torch.optim.Optimizer:
    """Adadelta: Zeiler, arXiv:1212.5701.

    Args:
        params: Names and parameters.
        lr: Factor of an update; 1 in the paper.
        rho: Decay of the means of squared gradients and squared updates.
        eps: Added to both before their roots are taken.
        weight_decay: L2 penalty, added to the gradient.
        decay_norm_and_bias: Biases and normalisation scales are penalised too, as in plain PyTorch.
    """
    groups = parameter_groups(params, weight_decay, decay_norm_and_bias)
    return torch.optim.Adadelta(groups, lr=lr, rho=rho, eps=eps)
