"""AdamW."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, can_fuse, parameter_groups
from trainwright.fields import NonNegative, OpenFraction, Positive

DEAD_WHEN = {"adamw": {"decay_norm_and_bias": "weight_decay == 0"}}


def adamw(
    params: NamedParameters,
    *,
    lr: Positive = 1e-3,
    beta1: OpenFraction = 0.9,
    beta2: OpenFraction = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 1e-2,
    decay_norm_and_bias: bool = True,
    amsgrad: bool = False,
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay: Loshchilov and Hutter, ICLR 2019.

    Args:
        params: Names and parameters.
        lr: Learning rate.
        beta1: Decay of the mean of gradients.
        beta2: Decay of the mean of squared gradients.
        eps: Added to the root of the latter.
        weight_decay: Share of a weight, times `lr`, taken off at every step.
        decay_norm_and_bias: Biases and normalisation scales decay too, as in plain PyTorch.
        amsgrad: Divide by the largest second moment so far.
    """
    groups = parameter_groups(params, weight_decay, decay_norm_and_bias)
    betas = (beta1, beta2)
    return torch.optim.AdamW(groups, lr=lr, betas=betas, eps=eps, amsgrad=amsgrad, fused=can_fuse(params))
