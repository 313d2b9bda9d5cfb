"""RMSprop."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, parameter_groups
from trainwright.fields import NonNegative, OpenFraction, Positive

DEAD_WHEN = {"rmsprop": {"decay_norm_and_bias": "weight_decay == 0"}}


def rmsprop(
    params: NamedParameters,
    *,
    lr: Positive = 1e-3,
    alpha: OpenFraction = 0.99,
    eps: Positive = 1e-8,
    momentum: OpenFraction = 0.0,
    centered: bool = False,
    weight_decay: NonNegative = 0.0,
    decay_norm_and_bias: bool = True,
) -> torch.optim.Optimizer:
    """RMSprop: Tieleman and Hinton, lecture 6.5, 2012; centred as in Graves, arXiv:1308.0850.

    Args:
        params: Names and parameters.
        lr: Learning rate.
        alpha: Decay of the mean of squared gradients.
        eps: Added to its root.
        momentum: Share of the last update that is kept.
        centered: Divide by the standard deviation instead of the root mean square.
        weight_decay: L2 penalty, added to the gradient.
        decay_norm_and_bias: Biases and normalisation scales are penalised too, as in plain PyTorch.
    """
    groups = parameter_groups(params, weight_decay, decay_norm_and_bias)
    return torch.optim.RMSprop(groups, lr=lr, alpha=alpha, eps=eps, momentum=momentum, centered=centered)
