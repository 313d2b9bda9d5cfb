"""Gradient norms per phase and group of layers, read without waiting for the device."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_MOST_GROUPS = 24


class GradientNorms:
    """The norms of one phase's gradients. Groups are the model's parts, by the names of their parameters.

    Args:
        named: Names and parameters of the phase.
    """

    def __init__(self, named: Sequence[tuple[str, nn.Parameter]]) -> None:
        self.parameters = [parameter for _, parameter in named]
        self.groups = layer_groups([name for name, _ in named])
        self._read: tuple[list[int], Tensor] | None = None

    @torch.no_grad()
    def read(self) -> None:
        """Computes the norm of every parameter's gradient; the numbers stay on the device."""
        present = [(i, p.grad) for i, p in enumerate(self.parameters) if p.grad is not None]
        if present:
            norms = torch._foreach_norm([gradient for _, gradient in present])
            self._read = [i for i, _ in present], torch.stack([norm.float() for norm in norms])

    def taken(self) -> tuple[float, dict[str, float], dict[str, float]] | None:
        """Global norm, norm by group and root mean square by group of what was read last; once."""
        if self._read is None:
            return None
        places, norms = self._read
        self._read = None
        squares: dict[str, float] = {}
        sizes: dict[str, int] = {}
        for place, norm in zip(places, norms.tolist(), strict=True):
            group = self.groups[place]
            squares[group] = squares.get(group, 0.0) + norm * norm
            sizes[group] = sizes.get(group, 0) + self.parameters[place].numel()
        by_group = {name: math.sqrt(square) for name, square in squares.items()}
        means = {name: norm / math.sqrt(sizes[name]) for name, norm in by_group.items()}
        return math.sqrt(sum(squares.values())), by_group, means


def layer_groups(names: Sequence[str]) -> list[str]:
    """The group of each parameter: as many leading parts of the names as give two groups or more, but few."""
    owners = [name.rpartition(".")[0] or name for name in names]
    best = [""] * len(names)
    for depth in range(1, 8):
        groups = [".".join(owner.split(".")[:depth]) for owner in owners]
        count = len(set(groups))
        if count > _MOST_GROUPS:
            break
        best = groups
        if count > 2:
            break
    return [group or "all" for group in best]
