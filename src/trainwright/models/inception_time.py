"""Inception modules along time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import NonNegativeInt, OpenFraction, PositiveInt
from trainwright.models.inputs import only_input


class InceptionModule(nn.Module):
    """Convolutions of several lengths side by side, and a pooled branch."""

    def __init__(self, channels: int, filters: int, kernels: list[int], bottleneck: int) -> None:
        super().__init__()
        narrow = bottleneck if bottleneck and channels > 1 else 0
        self.bottleneck = nn.Conv1d(channels, narrow, 1, bias=False) if narrow else nn.Identity()
        width = narrow or channels
        self.branches = nn.ModuleList(
            nn.Conv1d(width, filters, kernel, padding=kernel // 2, bias=False) for kernel in kernels
        )
        self.pooled = nn.Sequential(
            nn.MaxPool1d(3, 1, padding=1), nn.Conv1d(channels, filters, 1, bias=False)
        )
        self.out_channels = filters * (len(kernels) + 1)
        self.norm = nn.BatchNorm1d(self.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, T]` to `[B, filters x (kernels + 1), T]`."""
        narrow = self.bottleneck(x)
        joined = torch.cat([*(branch(narrow) for branch in self.branches), self.pooled(x)], 1)
        return torch.relu(self.norm(joined))


class InceptionTime(nn.Module):
    """Modules with a shortcut around every three of them, then the mean over time."""

    def __init__(
        self,
        channels: int,
        filters: int,
        kernels: list[int],
        bottleneck: int,
        depth: int,
        dropout: float,
        num_outputs: int,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        self.shortcuts = nn.ModuleList()
        start = channels
        for place in range(depth):
            module = InceptionModule(channels, filters, kernels, bottleneck)
            self.blocks.append(module)
            channels = module.out_channels
            if place % 3 == 2:
                project = nn.Conv1d(start, channels, 1, bias=False)
                self.shortcuts.append(nn.Sequential(project, nn.BatchNorm1d(channels)))
                start = channels
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.out_features = channels
        self.head = nn.Linear(channels, num_outputs) if num_outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """A series `[B, C, T]` to `[B, num_outputs]`, or to features."""
        start = x
        for place, module in enumerate(self.blocks):
            x = module(x)
            if place % 3 == 2:
                x = start = torch.relu(x + self.shortcuts[place // 3](start))
        result: Tensor = self.head(self.dropout(x.mean(2)))
        return result


def inception_time(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    filters: PositiveInt = 32,
    kernels: list[PositiveInt] = [39, 19, 9],  # noqa: B006 - the recipe's defaults are lists, as in YAML
    bottleneck: NonNegativeInt = 32,
    depth: PositiveInt = 6,
    dropout: OpenFraction = 0.0,
) -> nn.Module:
    """One network of InceptionTime (Ismail Fawaz et al. 2020, https://arxiv.org/abs/1909.04939).

    Args:
        inputs: One series or waveform `[B, C, T]`.
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        filters: Of every branch of a module.
        kernels: Steps that the branches see, odd.
        bottleneck: Channels to which a module's input is reduced before its convolutions; 0 for none.
        depth: Number of modules.
        dropout: In front of the output layer, in training.

    Raises:
        ModelError: A kernel is even, or the input is no series.
    """
    spec = only_input(inputs, "inception_time", ("series", "audio"))
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ModelError(
            f"kernels of {', '.join(map(str, kernels))} steps are not all odd",
            where="model.kernels",
            why="the branches of a module have to keep the number of steps",
            fix="add or take one step",
        )
    return InceptionTime(spec.shape[0], filters, list(kernels), bottleneck, depth, dropout, num_outputs)
