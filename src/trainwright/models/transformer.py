"""A small transformer over series and texts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import OpenFraction, PositiveInt
from trainwright.models.sequence import Steps, pooled, steps_of


class Block(nn.Module):
    """Self-attention and two fully connected layers, each around a shortcut, normalised before.

    Args:
        width: Of a step.
        heads: Attention heads.
        dropout: Behind both parts, in training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        """Steps `[B, T, width]`, of which only the real ones are looked at."""
        batch, count, width = x.shape
        parts = self.qkv(self.norm1(x)).view(batch, count, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = None if real is None else real[:, None, None, :]
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        x = x + self.dropout(self.out(attended.transpose(1, 2).reshape(batch, count, width)))
        result: Tensor = x + self.dropout(self.mlp(self.norm2(x)))
        return result


class Transformer(nn.Module):
    """Steps, places, blocks, the mean over the real steps."""

    def __init__(
        self, steps: Steps, patch: int, width: int, heads: int, layers: int, dropout: float, num_outputs: int
    ) -> None:
        super().__init__()
        self.steps, self.patch = steps, patch
        self.count = -(-steps.count // patch)
        self.embed = nn.Linear(steps.out_features * patch, width)
        self.places = nn.Parameter(torch.zeros(1, self.count, width))
        nn.init.trunc_normal_(self.places, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out_features = width
        self.head = nn.Linear(width, num_outputs) if num_outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """One input `[B, ...]` to `[B, num_outputs]`, or to features `[B, width]`."""
        steps, real = self.steps(x)
        if self.patch > 1:
            missing = self.count * self.patch - steps.shape[1]
            steps = functional.pad(steps, (0, 0, 0, missing)).unflatten(1, (self.count, -1)).flatten(2)
            if real is not None:
                real = functional.pad(real, (0, missing)).unflatten(1, (self.count, -1)).any(2)
        steps = self.embed(steps) + self.places
        for block in self.blocks:
            steps = block(steps, real)
        result: Tensor = self.head(pooled(self.norm(steps), real, "mean"))
        return result


def transformer(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    width: PositiveInt = 64,
    heads: PositiveInt = 4,
    layers: PositiveInt = 2,
    patch: PositiveInt = 1,
    dropout: OpenFraction = 0.1,
) -> nn.Module:
    """A transformer encoder (Vaswani et al. 2017) with learned places and the mean over all steps.

    The padding of a text is neither looked at nor averaged.

    Args:
        inputs: One series, text, waveform, or picture whose columns are steps (a mel spectrogram).
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        width: Of a step.
        heads: Attention heads, among which the width is divided.
        layers: Number of blocks.
        patch: Steps that are read as one, for long series.
        dropout: Behind attention and fully connected layers, in training.

    Raises:
        ModelError: The input has no steps, or heads do not divide the width.
    """
    if width % heads:
        raise ModelError(
            f"a width of {width} cannot be divided among {heads} heads",
            where="model.heads",
            fix="give a width that is a multiple of heads",
        )
    steps = steps_of(inputs, "transformer", width)
    return Transformer(steps, patch, width, heads, layers, dropout, num_outputs)
