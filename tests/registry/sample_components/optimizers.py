from __future__ import annotations

import torch_is_not_importable_here

from trainwright.fields import NonNegative, OpenFraction, Positive

DEAD_WHEN = {"sgd": {"nesterov": "momentum == 0"}}
VERSION = {"sgd": 2}


def sgd(
    params: torch_is_not_importable_here.Tensor,
    *,
    lr: Positive = 0.01,
    momentum: OpenFraction = 0.0,
    nesterov: bool = False,
    weight_decay: NonNegative = 0.0,
) -> None:
    """Gradient descent.

    Longer text.

    Args:
        params: What is optimised.
        lr: Learning rate, over
            two lines.
        momentum: Share of the last step.
    """


def adamw(params, *, lr: Positive = 1e-3, betas: tuple[OpenFraction, OpenFraction] = (0.9, 0.999)) -> None:
    """Adam with decoupled weight decay."""
