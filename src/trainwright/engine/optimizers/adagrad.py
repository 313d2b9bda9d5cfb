"""Adagrad."""

from __future__ import annotations

import torch

from trainwright.engine.optimizers.groups import NamedParameters, can_fuse, parameter_groups
from trainwright.fields import NonNegative, Positive

DEAD_WHEN = {"adagrad": {"decay_norm_and_bias": "weight_decay == 0"}}


def adagrad(
    params: NamedParameters,
    *,
    lr: Positive = 1e-2,
    lr_decay: NonNegative = 0.0,
    eps: Positive = 1e-10,
    initial_accumulator: NonNegative = 0.0,
    weight_decay: NonNegative = 0.0,
    decay_norm_and_bias: bool = True,
) -> torch.optim.Optimizer:
    """Adagrad: Duchi, Hazan and Singer, JMLR 2011.

    Args:
        params: Names and parameters.
        lr: Learning rate.
        lr_decay: The rate at step t is `lr / (1 + lr_decay * t)`, besides the schedule.
        eps: Added to the root of the sum of squared gradients.
        initial_accumulator: Where that sum starts.
        weight_decay: L2 penalty, added to the gradient.
        decay_norm_and_bias: Biases and normalisation scales are penalised too, as in plain PyTorch.
    """
    return torch.optim.Adagrad(
        parameter_groups(params, weight_decay, decay_norm_and_bias),
        lr=lr,
        lr_decay=lr_decay,
        eps=eps,
        initial_accumulator_value=initial_accumulator,
        fused=can_fuse(params, devices=("cpu",)) or None,
    )
