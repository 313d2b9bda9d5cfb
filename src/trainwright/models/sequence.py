"""Texts, series and mel pictures as one vector per step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.models.inputs import only_input

TYPES = ("series", "text", "audio", "image")


class Steps(nn.Module):
    """Steps `[B, T, F]` of an input, and which of them are real.

    A text gives a learned vector per word, of which the padding is no step. Of a series and a waveform
    `[B, C, T]` every step holds its channels; of a picture `[B, C, H, W]`, such as a mel spectrogram, every
    column is a step with its `C x H` values.

    Args:
        spec: Of the input.
        width: Length of a word's vector.
    """

    def __init__(self, spec: TensorSpec, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(len(spec.classes), width, padding_idx=0) if spec.type == "text" else None
        self.count = spec.shape[-1]
        self.out_features = width if self.words is not None else spec.shape[0]
        if spec.type == "image":
            self.out_features = spec.shape[0] * spec.shape[1]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Steps `[B, T, F]`, and booleans `[B, T]`; None where all are real."""
        if self.words is None:
            return x.flatten(1, -2).transpose(1, 2), None
        real = x != 0
        # A text without a word has one step of zeros, so that there is something to take a mean of.
        first = torch.arange(x.shape[1], device=x.device) == 0
        return self.words(x), real | (first & ~real.any(1, keepdim=True))


def steps_of(inputs: dict[str, TensorSpec], model: str, width: int) -> Steps:
    """The steps of the one input that `model` reads.

    Raises:
        ModelError: There are several inputs, or the one has no steps.
    """
    return Steps(only_input(inputs, model, TYPES), width)


def pooled(steps: Tensor, real: Tensor | None, pool: str) -> Tensor:
    """Mean or maximum over the real steps: `[B, T, F]` to `[B, F]`."""
    if pool == "mean":
        if real is None:
            return steps.mean(1)
        weights = real.to(steps.dtype)[:, :, None]
        return (steps * weights).sum(1) / weights.sum(1)
    return (steps if real is None else steps.masked_fill(~real[:, :, None], -torch.inf)).amax(1)
