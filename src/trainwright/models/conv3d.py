"""Convolutions over space and time."""

from __future__ import annotations

from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import OpenFraction, PositiveInt
from trainwright.models.inputs import only_input


def conv3d(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    widths: list[PositiveInt] = [16, 32, 64],  # noqa: B006 - the recipe's defaults are lists, as in YAML
    dropout: OpenFraction = 0.0,
) -> nn.Module:
    """3x3x3 convolutions of a video, as in C3D (Tran et al. 2015, https://arxiv.org/abs/1412.0767).

    Every block halves height and width, and time as long as there are two frames left; the mean over
    what is left gives the features.

    Args:
        inputs: One video `[B, C, T, H, W]`.
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        widths: Channels of each block.
        dropout: In front of the output layer, in training.

    Raises:
        ModelError: The input is no video, or its frames are too small for the blocks.
    """
    channels, count, height, width = only_input(inputs, "conv3d", ("video",)).shape
    if min(height, width) >> len(widths) == 0:
        raise ModelError(
            f"frames of {width}x{height} pixels are too small for {len(widths)} blocks of conv3d",
            where="model.widths",
            fix="give fewer widths or a larger size for the video",
        )
    parts: list[nn.Module] = []
    for features in widths:
        halved = 2 if count > 1 else 1
        parts += [
            nn.Conv3d(channels, features, 3, padding=1, bias=False),
            nn.BatchNorm3d(features),
            nn.ReLU(),
            nn.MaxPool3d((halved, 2, 2)),
        ]
        channels, count = features, count // halved
    parts += [nn.AdaptiveAvgPool3d(1), nn.Flatten()]
    if dropout:
        parts.append(nn.Dropout(dropout))
    if num_outputs:
        parts.append(nn.Linear(channels, num_outputs))
    return nn.Sequential(*parts)
