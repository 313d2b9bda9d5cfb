"""Losses of one logit per class and place, nearly all of which are to say no."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def absent(logits: Tensor, gamma: float) -> Tensor:
    """Focal loss of what should say no: `-p^gamma log(1 - p)` (Lin et al. 2017, arXiv:1708.02002).

    Args:
        logits: Of any shape.
        gamma: How much less a sure answer counts; 0 is binary cross-entropy.
    """
    return _power(logits.sigmoid(), gamma) * F.softplus(logits)


def present(logits: Tensor, gamma: float) -> Tensor:
    """Focal loss of what should say yes: `-(1 - p)^gamma log p`."""
    return _power((-logits).sigmoid(), gamma) * F.softplus(-logits)


def present_with_quality(logits: Tensor, quality: Tensor, gamma: float) -> Tensor:
    """Quality focal loss: `-|q - p|^gamma (q log p + (1 - q) log(1 - p))` (Li et al. 2020, arXiv:2006.04388).

    Args:
        logits: Of any shape.
        quality: What the probability should be, in 0..1, such as the overlap of the box.
        gamma: How much less a sure answer counts; the paper's beta.
    """
    missed = (quality - logits.sigmoid()).abs()
    return _power(missed, gamma) * F.binary_cross_entropy_with_logits(logits, quality, reduction="none")


def _power(values: Tensor, gamma: float) -> Tensor:
    if gamma == 2:
        return values.square()
    # The gradient of a power below 1 is infinite at 0.
    return values.clamp_min(1e-12) ** gamma
