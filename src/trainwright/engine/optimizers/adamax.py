"""AdaMax."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, parameter_groups
from trainwright.fields import NonNegative, OpenFraction, Positive

DEAD_WHEN = {"adamax": {"decay_norm_and_bias": "weight_decay == 0"}}


def adamax(
    params: NamedParameters,
    *,
    lr: Positive = 2e-3,
    beta1: OpenFraction = 0.9,
    beta2: OpenFraction = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    decay_norm_and_bias: bool = True,
) -> torch.optim.Optimizer:
    """Adam with the infinity norm: Kingma and Ba, ICLR 2015, section 7.1.

    Args:
        params: Names and parameters.
        lr: Learning rate.
        beta1: Decay of the mean of gradients.
        beta2: Decay of the largest gradient so far.
        eps: Added to the latter.
        weight_decay: L2 penalty, added to the gradient.
        decay_norm_and_bias: Biases and normalisation scales are penalised too, as in plain PyTorch.
    """
    groups = parameter_groups(params, weight_decay, decay_norm_and_bias)
    return torch.optim.Adamax(groups, lr=lr, betas=(beta1, beta2), eps=eps)
