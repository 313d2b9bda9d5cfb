"""Gradient norms per phase and group of layers, computed on the device and read later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

_MOST_GROUPS = 24


@dataclass(frozen=True)
class Norms:
    """What one reading of a phase's gradients came to.

    Attributes:
        total: Norm over all parameters.
        groups: Norm by group of layers.
        means: Root mean square of the elements by group, which does not grow with a layer's size.
    """

    total: float
    groups: dict[str, float]
    means: dict[str, float]


class GradientNorms:
    """The norms of one phase's gradients. Groups are the model's parts, by the names of their parameters.

    Args:
        named: Names and parameters of the phase.
    """

    def __init__(self, named: Sequence[tuple[str, nn.Parameter]]) -> None:
        self.parameters = [parameter for _, parameter in named]
        self.groups = layer_groups([name for name, _ in named])
        self._waiting: tuple[list[int], Tensor] | None = None

    @torch.no_grad()
    def read(self) -> None:
        """Computes the norm of every parameter's gradient; nobody waits for the numbers."""
        present = [(i, p.grad) for i, p in enumerate(self.parameters) if p.grad is not None]
        dense = [(i, gradient) for i, gradient in present if gradient.layout == torch.strided]
        if dense:
            norms = torch._foreach_norm([gradient for _, gradient in dense])
            self._waiting = [i for i, _ in dense], torch.stack([norm.float() for norm in norms])

    def taken(self) -> Norms | None:
        """What was read last, once; waits for the device."""
        if self._waiting is None:
            return None
        places, norms = self._waiting
        self._waiting = None
        squares: dict[str, float] = {}
        sizes: dict[str, int] = {}
        for place, norm in zip(places, norms.tolist(), strict=True):
            group = self.groups[place]
            squares[group] = squares.get(group, 0.0) + norm * norm
            sizes[group] = sizes.get(group, 0) + self.parameters[place].numel()
        groups = {name: math.sqrt(square) for name, square in squares.items()}
        means = {name: norm / math.sqrt(sizes[name]) for name, norm in groups.items()}
        return Norms(math.sqrt(sum(squares.values())), groups, means)

    def waiting(self) -> dict[str, Any]:
        """What waits to be read: a phase that rests in some steps is read before the others."""
        if self._waiting is None:
            return {"places": [], "norms": []}
        places, norms = self._waiting
        return {"places": [*places], "norms": norms.tolist()}

    def wait_again(self, state: dict[str, Any]) -> None:
        """Puts it back."""
        waits = bool(state["places"])
        self._waiting = ([*state["places"]], torch.tensor(state["norms"])) if waits else None


def layer_groups(names: Sequence[str]) -> list[str]:
    """The group of each parameter: as many leading parts of its name as give a few groups.

    Args:
        names: Full names, such as `layer1.0.conv1.weight`.
    """
    owners = [name.rpartition(".")[0] or name for name in names]
    best = ["all"] * len(names)
    for depth in range(1, 8):
        groups = [".".join(owner.split(".")[:depth]) for owner in owners]
        count = len(set(groups))
        if count > _MOST_GROUPS:
            break
        best = groups
        if count > 2:
            break
    return best
