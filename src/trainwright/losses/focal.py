"""Focal loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.fields import NonNegative
from trainwright.losses.reduction import one_hot, over_pixels, per_sample, weigh

TARGETS = ("category", "categories", "mask")


def focal(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    spec: TensorSpec | None = None,
    *,
    gamma: NonNegative = 2.0,
) -> Tensor:
    """Cross-entropy that counts a sample less the surer the model already is: `-(1 - p)^gamma log p`.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002: with a softmax over classes; with a sigmoid per class
    and the mean over them where a sample has any number of classes. The paper's alpha is `class_weights`.

    Args:
        output: Logits `[B, C]`, or `[B, C, H, W]` of a mask.
        target: Class ids int64 `[B]`, or probabilities `[B, C]`; of a mask with `[H, W]` behind.
        class_weights: Weight of each class `[C]`.
        spec: Tells whether a sample has any number of classes; one when absent.
        gamma: 0 is cross-entropy.

    Returns:
        Loss per sample `[B]`, of a mask the mean over the pixels that have a class.
    """
    if spec is not None and spec.type == "categories":
        wanted = one_hot(output, target)
        yes, no = _focal(F.logsigmoid(output), gamma), _focal(F.logsigmoid(-output), gamma)
        terms = wanted * yes + (1 - wanted) * no
        return per_sample(terms if class_weights is None else terms * class_weights.to(terms.dtype))
    values = _focal(F.log_softmax(output, dim=1), gamma)
    if target.is_floating_point():
        loss = (one_hot(output, target) * values).sum(1)
    else:
        # Pixels without a class read the first one's value, and are left out of the mean.
        known = target if target.dim() == 1 else target.clamp_min(0)
        loss = values.gather(1, known[:, None]).squeeze(1)
    return over_pixels(weigh(loss, target, class_weights), target)


def _focal(log_p: Tensor, gamma: float) -> Tensor:
    # 1 - p as -expm1(log p) keeps its precision where p is close to 1; the clamp keeps the gradient of a
    # power below 1 finite at p == 1.
    missing = (-log_p.expm1()).clamp_min(1e-12)
    return -(missing**gamma) * log_p
