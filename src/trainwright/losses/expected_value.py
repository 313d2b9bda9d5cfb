"""Error of a distribution's expectation."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.losses.bins import places, widths
from trainwright.losses.reduction import same_shape

TARGETS = ("distribution",)


def expected_value(
    output: Tensor,
    target: Tensor,
    class_weights: Tensor | None = None,
    spec: TensorSpec | None = None,
    *,
    error: Literal["squared", "absolute"] = "squared",
) -> Tensor:
    """How far the expectation of the predicted bins is from that of the true ones.

    The expectation is a sum over the bins of one sample, never over samples. It is told in units of the
    range that all bins span, so that the loss has the same size whatever the number is measured in. A
    distribution is free to be of any width around its expectation; `crps` judges the width too.

    Args:
        output: Logits `[B, K]`.
        target: Probabilities `[B, K]`.
        class_weights: Not used: a number has no classes.
        spec: Has the edges of the bins.
        error: Of the two expectations.

    Returns:
        Loss per sample `[B]`.
    """
    assert spec is not None
    edges = places(spec, output)
    centres = edges[:-1] + widths(edges) / 2
    difference = (output.float().softmax(1) - same_shape(output, target)) @ centres
    return difference.abs() if error == "absolute" else torch.square(difference)
