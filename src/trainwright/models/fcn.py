"""Convolutions along time, without pooling in between."""

from __future__ import annotations

from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import OpenFraction, PositiveInt
from trainwright.models.inputs import only_input


def fcn(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    widths: list[PositiveInt] = [128, 256, 128],  # noqa: B006 - the recipe's defaults are lists, as in YAML
    kernels: list[PositiveInt] = [8, 5, 3],  # noqa: B006 - never changed
    stride: PositiveInt = 1,
    dropout: OpenFraction = 0.0,
) -> nn.Module:
    """The fully convolutional network for series of Wang et al. 2017, https://arxiv.org/abs/1611.06455.

    Convolution, batch normalisation and ReLU three times, then the mean over time.

    Args:
        inputs: One series or waveform `[B, C, T]`.
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        widths: Channels of each convolution.
        kernels: Steps that each convolution sees.
        stride: Steps between outputs of a convolution in front, for long series and waveforms; 1 is none.
        dropout: In front of the output layer, in training.

    Raises:
        ModelError: Widths and kernels are of different number, or the input is neither.
    """
    spec = only_input(inputs, "fcn", ("series", "audio"))
    if len(widths) != len(kernels):
        raise ModelError(
            f"{len(widths)} widths and {len(kernels)} kernels",
            where="model.kernels",
            fix="give one per width",
        )
    channels = spec.shape[0]
    parts: list[nn.Module] = []
    if stride > 1:
        front = nn.Conv1d(channels, widths[0], 2 * stride + 1, stride, stride, bias=False)
        parts += [front, nn.BatchNorm1d(widths[0]), nn.ReLU()]
        channels = widths[0]
    for width, kernel in zip(widths, kernels, strict=True):
        # As `padding="same"`, which for an even kernel pads one step more behind than in front.
        parts += [nn.ConstantPad1d(((kernel - 1) // 2, kernel // 2), 0.0)] if kernel > 1 else []
        parts += [nn.Conv1d(channels, width, kernel, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
        channels = width
    parts += [nn.AdaptiveAvgPool1d(1), nn.Flatten()]
    if dropout:
        parts.append(nn.Dropout(dropout))
    if num_outputs:
        parts.append(nn.Linear(channels, num_outputs))
    return nn.Sequential(*parts)
