"""How wide a vector of features is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.inspect import example_inputs


def feature_width(column: str, encoder: nn.Module, spec: TensorSpec, where: str) -> int:
    """Width of an encoder's features, from one fake forward pass.

    Raises:
        ModelError: It gives no vector per sample.
    """
    # Real zeros in evaluation: nothing is drawn, no statistics move, and the meta device, whose first use
    # imports PyTorch's compiler, is not needed.
    training = encoder.training
    with torch.no_grad():
        features = encoder.eval()(example_inputs({column: spec}, device=str(torch.get_default_device())))
    encoder.train(training)
    if not isinstance(features, Tensor) or features.ndim != 2:
        shape = list(features.shape[1:]) if isinstance(features, Tensor) else type(features).__name__
        raise ModelError(
            f"the encoder of {column!r} gives {shape} per sample instead of a vector",
            where=where,
            fix="end it with pooling or flattening",
        )
    return int(features.shape[1])
