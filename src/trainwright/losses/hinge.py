"""Multi-class hinge loss."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from trainwright.errors import ModelError
from trainwright.fields import Positive
from trainwright.losses.reduction import weigh

TARGETS = ("category",)


def hinge(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    *,
    margin: Positive = 1.0,
    power: Literal[1, 2] = 1,
) -> Tensor:
    """How far the true class is from beating every other class by a margin.

    `sum over j != y of max(0, margin - x_y + x_j)^power / C` (Weston and Watkins 1999).

    Args:
        output: Scores `[B, C]`.
        target: Class ids int64 `[B]`.
        class_weights: Weight of each class `[C]`.
        margin: Distance by which the true class should win.
        power: 1, or 2 for the squared hinge.

    Returns:
        Loss per sample `[B]`.

    Raises:
        ModelError: The target is mixed from several classes.
    """
    if target.is_floating_point():
        raise ModelError(
            "the hinge loss knows no samples of several classes",
            why="an augmentation mixes samples",
            fix="choose cross_entropy, or remove mixup, cutmix and mosaic from data.augment",
        )
    loss = F.multi_margin_loss(output, target, p=power, margin=margin, reduction="none")
    return weigh(loss, target, class_weights)
