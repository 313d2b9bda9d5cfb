"""Adam."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, can_fuse, parameter_groups
from trainwright.fields import NonNegative, OpenFraction, Positive

DEAD_WHEN = {"adam": {"decay_norm_and_bias": "weight_decay == 0"}}


def adam(
    params: NamedParameters,
    *,
    lr: Positive = 1e-3,
    beta1: OpenFraction = 0.9,
    beta2: OpenFraction = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    decay_norm_and_bias: bool = True,
    amsgrad: bool = False,
) -> torch.optim.Optimizer:
    """Adam: Kingma and Ba, ICLR 2015.

    Args:
        params: Names and parameters.
        lr: Learning rate.
        beta1: Decay of the mean of gradients.
        beta2: Decay of the mean of squared gradients.
        eps: Added to the root of the latter.
        weight_decay: L2 penalty, added to the gradient; `adamw` decouples it.
        decay_norm_and_bias: Biases and normalisation scales are penalised too, as in plain PyTorch.
        amsgrad: Divide by the largest second moment so far.
    """
    groups = parameter_groups(params, weight_decay, decay_norm_and_bias)
    betas = (beta1, beta2)
    return torch.optim.Adam(groups, lr=lr, betas=betas, eps=eps, amsgrad=amsgrad, fused=can_fuse(params))
