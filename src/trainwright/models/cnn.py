"""A small convolutional network for small images."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import NonNegativeInt, OpenFraction, PositiveInt
from trainwright.models.activations import activation as build_activation
from trainwright.models.inputs import only_image

# max(f(x)) == f(max(x)) for these, so that pooling first gives the same values and gradients from a
# quarter of the activations.
_MONOTONE = ("relu", "leaky_relu", "elu", "tanh")


def cnn(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    widths: list[PositiveInt] = [16, 32, 64],  # noqa: B006 - the recipe's defaults are lists, as in YAML
    head: NonNegativeInt = 64,
    activation: Literal["relu", "gelu", "silu", "tanh", "leaky_relu", "elu"] = "relu",
    dropout: OpenFraction = 0.0,
    batch_norm: bool = False,
) -> nn.Module:
    """Blocks of 3x3 convolution, activation and 2x2 max-pooling, then one hidden layer.

    Args:
        inputs: One image `[B, C, H, W]`.
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        widths: Channels of each block; every block halves height and width.
        head: Width of the hidden layer between the flattened maps and the output; 0 for none.
        activation: After every convolution and after the hidden layer.
        dropout: Share of values set to zero before the output layer in training.
        batch_norm: Batch normalisation after every convolution.

    Raises:
        ModelError: The image is smaller than the blocks' pooling, or the input is no image.
    """
    channels, height, width = only_image(inputs, "cnn")
    if min(height, width) >> len(widths) == 0:
        raise ModelError(
            f"an image of {width}x{height} pixels is too small for {len(widths)} blocks of cnn",
            where="model.widths",
            why=f"every block halves the image, so that it needs {2 ** len(widths)} pixels a side",
            fix="give fewer widths or a larger size for the image",
        )
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for index, features in enumerate(widths, start=1):
        parts[f"conv{index}"] = nn.Conv2d(channels, features, 3, padding=1, bias=not batch_norm)
        if batch_norm:
            parts[f"norm{index}"] = nn.BatchNorm2d(features)
        act, pool = (f"act{index}", build_activation(activation)), (f"pool{index}", nn.MaxPool2d(2))
        parts.update([pool, act] if activation in _MONOTONE else [act, pool])
        channels, height, width = features, height // 2, width // 2
    parts["flatten"] = nn.Flatten()
    features = channels * height * width
    if head:
        parts["fc"], parts["act"] = nn.Linear(features, head), build_activation(activation)
        features = head
    if dropout:
        parts["drop"] = nn.Dropout(dropout)
    if num_outputs:
        parts["head"] = nn.Linear(features, num_outputs)
    return nn.Sequential(parts)
