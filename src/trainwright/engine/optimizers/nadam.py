"""NAdam."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, parameter_groups
from trainwright.fields import NonNegative, OpenFraction, Positive

DEAD_WHEN = {
    "nadam": {"decay_norm_and_bias": "weight_decay == 0", "decoupled": "weight_decay == 0"},
}


def nadam(
    params: NamedParameters,
    *,
    lr: Positive = 2e-3,
    beta1: OpenFraction = 0.9,
    beta2: OpenFraction = 0.999,
    eps: Positive = 1e-8,
    momentum_decay: NonNegative = 4e-3,
    weight_decay: NonNegative = 0.0,
    decoupled: bool = False,
    decay_norm_and_bias: bool = True,
) -> torch.optim.Optimizer:
    """Adam with Nesterov momentum: Dozat, ICLR workshop 2016.

    Args:
        params: Names and parameters.
        lr: Learning rate.
        beta1: Decay of the mean of gradients, where its own schedule ends.
        beta2: Decay of the mean of squared gradients.
        eps: Added to the root of the latter.
        momentum_decay: Speed of the momentum's schedule.
        weight_decay: L2 penalty, added to the gradient.
        decoupled: Decay the weights as AdamW does instead.
        decay_norm_and_bias: Biases and normalisation scales decay too, as in plain PyTorch.
    """
    return torch.optim.NAdam(
        parameter_groups(params, weight_decay, decay_norm_and_bias),
        lr=lr,
        betas=(beta1, beta2),
        eps=eps,
        momentum_decay=momentum_decay,
        decoupled_weight_decay=decoupled,
    )
