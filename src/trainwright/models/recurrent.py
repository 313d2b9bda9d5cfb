"""Recurrent networks over series, texts, sounds and mel pictures."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.fields import OpenFraction, PositiveInt
from trainwright.models.sequence import Steps, pooled, steps_of


class Layer(nn.Module):
    """One recurrent layer, read forwards or in both directions.

    Args:
        cell: `lstm` or `gru`.
        features: Width of a step.
        units: Width of the state of one direction.
        directions: 1 or 2.
    """

    def __init__(self, cell: str, features: int, units: int, directions: int) -> None:
        super().__init__()
        kind = nn.LSTM if cell == "lstm" else nn.GRU
        self.directions = nn.ModuleList(kind(features, units, batch_first=True) for _ in range(directions))

    def forward(self, steps: Tensor, mirror: Tensor | None) -> Tensor:
        """Steps `[B, T, F]` to states `[B, T, D]`, those of the backward direction in their own places.

        `mirror` `[B, T]` are the steps in reverse, padding staying behind: so that no direction reads
        padding before what is real.
        """
        states = [self.directions[0](steps)[0]]
        if mirror is not None:
            backward = self.directions[1](_taken(steps, mirror))[0]
            states.append(_taken(backward, mirror))
        return torch.cat(states, 2)


class Recurrent(nn.Module):
    """Steps, perhaps convolutions along them, recurrent layers, pooling.

    Args:
        steps: Input to steps.
        widths: Channels of convolutions in front, each of which halves the number of steps.
        cell: `lstm` or `gru`.
        units: Width of the state of one direction.
        layers: Number of stacked layers.
        bidirectional: Read from both ends.
        pool: `last`, `mean` or `max`.
        dropout: Behind every layer, in training.
        num_outputs: Width of the output; 0 leaves the output layer out.
    """

    def __init__(
        self,
        steps: Steps,
        widths: list[int],
        cell: str,
        units: int,
        layers: int,
        bidirectional: bool,
        pool: str,
        dropout: float,
        num_outputs: int,
    ) -> None:
        super().__init__()
        self.steps, self.pool, self.bidirectional = steps, pool, bidirectional
        features = steps.out_features
        blocks: list[nn.Module] = []
        for width in widths:
            convolution = nn.Conv1d(features, width, 5, stride=2, padding=2, bias=False)
            blocks.append(nn.Sequential(convolution, nn.BatchNorm1d(width), nn.ReLU()))
            features = width
        self.convolutions = nn.ModuleList(blocks)
        directions = 1 + bidirectional
        self.layers = nn.ModuleList()
        for _ in range(layers):
            self.layers.append(Layer(cell, features, units, directions))
            features = units * directions
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.units, self.out_features = units, features
        self.head = nn.Linear(features, num_outputs) if num_outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """One input `[B, ...]` to `[B, num_outputs]`, or to features `[B, D]`."""
        steps, real = self.steps(x)
        for convolution in self.convolutions:
            steps = convolution(steps.transpose(1, 2)).transpose(1, 2)
            real = None if real is None else real[:, ::2]
        places = torch.arange(steps.shape[1], device=steps.device).expand(steps.shape[:2])
        last = places[:, -1] if real is None else (places * real).amax(1)
        mirror = None
        if self.bidirectional:
            turned = last[:, None] - places
            mirror = torch.where(turned >= 0, turned, places)
        for layer in self.layers:
            steps = self.dropout(layer(steps, mirror))
        if self.pool == "last":
            forward = _taken(steps[:, :, : self.units], last[:, None])[:, 0]
            # The backward direction has read everything when it is at the first step.
            features = torch.cat([forward, steps[:, 0, self.units :]], 1)
        else:
            features = pooled(steps, real, self.pool)
        result: Tensor = self.head(features)
        return result


def _taken(steps: Tensor, places: Tensor) -> Tensor:
    """Of every sample the steps at `places` `[B, N]`: `[B, T, F]` to `[B, N, F]`."""
    return steps.gather(1, places[:, :, None].expand(-1, -1, steps.shape[2]))


def recurrent(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    cell: Literal["lstm", "gru"] = "lstm",
    units: PositiveInt = 64,
    layers: PositiveInt = 1,
    bidirectional: bool = False,
    pool: Literal["last", "mean", "max"] = "last",
    convolutions: list[PositiveInt] = [],  # noqa: B006 - never changed
    embedding: PositiveInt = 32,
    dropout: OpenFraction = 0.0,
) -> nn.Module:
    """LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al. 2014) over the steps of one input.

    The padding of a text takes no part: its answer does not depend on how long the other texts are.

    Args:
        inputs: One series, text, waveform, or picture whose columns are steps (a mel spectrogram).
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        cell: The recurrent unit.
        units: Width of the state of each direction.
        layers: Number of stacked layers.
        bidirectional: Read from both ends, which doubles the width.
        pool: The state after the last step (of the backward direction after the first), or the mean or
            maximum of the states of all steps.
        convolutions: Channels of convolutions in front, each of which halves the number of steps.
        embedding: Length of the vector of a word, where the input is a text.
        dropout: Behind every layer, in training.

    Raises:
        ModelError: The input has no steps, or there are several inputs.
    """
    return Recurrent(
        steps_of(inputs, "recurrent", embedding),
        list(convolutions),
        cell,
        units,
        layers,
        bidirectional,
        pool,
        dropout,
        num_outputs,
    )
