"""Pooled maps and fully connected layers, for targets that are one vector per sample."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.fields import OpenFraction, PositiveInt
from trainwright.models.widths import output_width


class Linear(nn.Module):
    """Mean (or maximum) over each chosen map, hidden layers, and one output per number of the target.

    Args:
        target: What is learned.
        channels: Channels of the maps.
        levels: `last` reads the coarsest map, `all` every one.
        pool: How a map becomes a vector.
        hidden: Width of each hidden layer.
        dropout: In front of the last layer, in training.
    """

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        *,
        levels: Literal["last", "all"] = "last",
        pool: Literal["mean", "max"] = "mean",
        hidden: list[PositiveInt] = [],  # noqa: B006 - never changed
        dropout: OpenFraction = 0.0,
    ) -> None:
        super().__init__()
        self.levels, self.pool = levels, pool
        width = channels[-1] if levels == "last" else sum(channels)
        parts: list[nn.Module] = []
        for features in hidden:
            parts += [nn.Linear(width, features), nn.ReLU()]
            width = features
        if dropout:
            parts.append(nn.Dropout(dropout))
        self.layers = nn.Sequential(*parts, nn.Linear(width, output_width(target)))

    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps to `[B, numbers]`."""
        chosen = features[-1:] if self.levels == "last" else features
        vectors = [map.mean((2, 3)) if self.pool == "mean" else map.amax((2, 3)) for map in chosen]
        result: Tensor = self.layers(torch.cat(vectors, 1))
        return result
