"""Parameter groups and kernels that the optimizers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

NamedParameters = Sequence[tuple[str, nn.Parameter]]


def parameter_groups(
    params: NamedParameters, weight_decay: float, decay_norm_and_bias: bool
) -> list[dict[str, Any]]:
    """Groups of named parameters, those without weight decay apart.

    Vectors and scalars are what biases and the scales of normalisation layers are; everything that
    multiplies inputs has two or more axes.

    Args:
        params: Names and parameters.
        weight_decay: Decay of the others.
        decay_norm_and_bias: Whether vectors and scalars decay as well, as they do in plain PyTorch.
    """
    if decay_norm_and_bias or weight_decay == 0:
        return [{"params": list(params), "weight_decay": weight_decay}]
    groups = [
        {"params": [(n, p) for n, p in params if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [(n, p) for n, p in params if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def can_fuse(params: NamedParameters, devices: tuple[str, ...] = ("cpu", "cuda")) -> bool:
    """Whether one kernel can update all of these parameters at once."""
    return all(p.device.type in devices and p.is_floating_point() for _, p in params)
