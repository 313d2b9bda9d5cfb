"""Lovasz-softmax loss: a surrogate of the intersection over union that can be learned directly."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from trainwright.losses.reduction import has_class, one_hot, over_shown_classes

TARGETS = ("mask",)


def lovasz(output: Tensor, target: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """The Lovasz extension of each class's Jaccard loss, taken at the errors of the probabilities.

    Berman et al. 2018, https://arxiv.org/abs/1705.08790. It sorts the pixels of every class, which costs
    more than all other losses here.

    Args:
        output: Logits `[B, C, H, W]`.
        target: Class ids int64 `[B, H, W]`; of shares `[B, C, H, W]` the largest counts.
        class_weights: Weight of each class `[C]` in the mean over classes.

    Returns:
        Loss per sample `[B]`: the mean over the classes that its mask shows, 0 where it shows none.
    """
    known = has_class(target)
    if target.is_floating_point():
        target = torch.where(known, target.argmax(1), -1)
    truth = one_hot(output, target).flatten(2)
    errors = (truth - F.softmax(output, dim=1).flatten(2)).abs()
    # Pixels without a class come last, where they change nothing of the others, and count as no error.
    errors = torch.where(known.flatten(1)[:, None], errors, -1)
    errors, order = errors.sort(dim=2, descending=True)
    gradient = _jaccard_steps(truth.gather(2, order))
    return over_shown_classes((errors.clamp_min(0) * gradient).sum(2), truth.sum(2) > 0, class_weights)


def _jaccard_steps(truth: Tensor) -> Tensor:
    """How much the Jaccard loss grows with each further error, the largest first; `[B, C, N]`."""
    extent = truth.sum(2, keepdim=True)
    missed = truth.cumsum(2)
    union = extent + (1 - truth).cumsum(2)
    loss = 1 - (extent - missed) / union.clamp_min(1)
    return torch.cat([loss[..., :1], loss.diff(dim=2)], dim=2)
