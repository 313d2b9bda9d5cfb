"""A multi-layer perceptron."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.fields import OpenFraction, PositiveInt
from trainwright.models.activations import activation as build_activation
from trainwright.models.inputs import flattened

DEAD_WHEN = {
    "mlp": {
        "activation": "not hidden",
        "dropout": "not hidden",
        "batch_norm": "not hidden",
        "embedding": "categories == 'one_hot'",
    }
}


def mlp(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    hidden: list[PositiveInt] = [64, 64],  # noqa: B006 - the recipe's defaults are lists, as in YAML
    activation: Literal["relu", "gelu", "silu", "tanh", "sigmoid", "leaky_relu", "elu", "selu"] = "relu",
    dropout: OpenFraction = 0.0,
    batch_norm: bool = False,
    categories: Literal["one_hot", "embedding"] = "one_hot",
    embedding: PositiveInt = 8,
) -> nn.Module:
    """Fully connected layers over all inputs, flattened and concatenated.

    Args:
        inputs: Input columns; a category becomes a vector as `categories` says.
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        hidden: Width of each hidden layer; `[]` is a linear model.
        activation: After every hidden layer.
        dropout: Share of hidden values set to zero in training.
        batch_norm: Batch normalisation before every activation.
        categories: `one_hot`, or `embedding` for a learned vector per class.
        embedding: Width of such a vector.
    """
    gather, width = flattened(inputs, categories, embedding)
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    if gather is not None:
        parts["inputs"] = gather
    for index, features in enumerate(hidden, start=1):
        parts[f"fc{index}"] = nn.Linear(width, features)
        if batch_norm:
            parts[f"norm{index}"] = nn.BatchNorm1d(features)
        parts[f"act{index}"] = build_activation(activation)
        if dropout:
            parts[f"drop{index}"] = nn.Dropout(dropout)
        width = features
    if num_outputs:
        parts["head"] = nn.Linear(width, num_outputs)
    return nn.Sequential(parts)
