"""Continuous ranked probability score."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.types import TensorSpec
from trainwright.losses.bins import places, widths
from trainwright.losses.reduction import same_shape

TARGETS = ("distribution",)


def crps(
    output: Tensor, target: Tensor, class_weights: Tensor | None = None, spec: TensorSpec | None = None
) -> Tensor:
    """Integral of the squared difference between the predicted and the true cumulative distribution.

    Gneiting and Raftery, JASA 2007, https://doi.org/10.1198/016214506000001437. Unlike cross-entropy it
    knows which bins are neighbours. Probability lies evenly within a bin; the integral is exact, in units
    of the range that all bins span.

    Args:
        output: Logits `[B, K]`.
        target: Probabilities `[B, K]`.
        class_weights: Not used: a number has no classes.
        spec: Has the edges of the bins.

    Returns:
        Loss per sample `[B]`.
    """
    assert spec is not None
    difference = (output.float().softmax(1) - same_shape(output, target)).cumsum(1)
    left, right = functional.pad(difference, (1, 0))[:, :-1], difference
    # The square of a line from l to r, over a unit, is (l^2 + l r + r^2) / 3.
    return (torch.square(left) + left * right + torch.square(right)) @ widths(places(spec, output)) / 3
