"""Layers that join several inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainwright.errors import ModelError
from trainwright.fields import PositiveInt

Shape = tuple[int, ...]


class Merge(nn.Module):
    """One tensor of several equal shapes, value by value."""

    def __init__(self, join: Callable[[Tensor, Tensor], Tensor], average: bool = False) -> None:
        super().__init__()
        self.join, self.average = join, average

    def forward(self, *values: Tensor) -> Tensor:
        """Tensors of one shape to a tensor of that shape."""
        joined = functools.reduce(self.join, values)
        return joined / len(values) if self.average else joined


class Concat(nn.Module):
    """Tensors one after the other along an axis."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *values: Tensor) -> Tensor:
        """Tensors that differ in this axis only to one tensor."""
        return torch.cat(values, dim=self.axis)


def add(in_shapes: tuple[Shape, ...]) -> nn.Module:
    """Sum of inputs of one shape."""
    _alike("add", in_shapes)
    return Merge(torch.add)


def subtract(in_shapes: tuple[Shape, ...]) -> nn.Module:
    """First input minus the others."""
    _alike("subtract", in_shapes)
    return Merge(torch.sub)


def multiply(in_shapes: tuple[Shape, ...]) -> nn.Module:
    """Product of inputs of one shape."""
    _alike("multiply", in_shapes)
    return Merge(torch.mul)


def maximum(in_shapes: tuple[Shape, ...]) -> nn.Module:
    """Largest of inputs of one shape."""
    _alike("maximum", in_shapes)
    return Merge(torch.maximum)


def minimum(in_shapes: tuple[Shape, ...]) -> nn.Module:
    """Smallest of inputs of one shape."""
    _alike("minimum", in_shapes)
    return Merge(torch.minimum)


def mean(in_shapes: tuple[Shape, ...]) -> nn.Module:
    """Mean of inputs of one shape."""
    _alike("mean", in_shapes)
    return Merge(torch.add, average=True)


def concat(in_shapes: tuple[Shape, ...], *, axis: PositiveInt = 1) -> nn.Module:
    """Inputs one after the other.

    Args:
        in_shapes: Shapes of its inputs.
        axis: Axis to join along, counted from 1 without the batch axis: 1 is channels or features.
    """
    rest = {shape[: axis - 1] + shape[axis:] for shape in in_shapes}
    if len(rest) > 1 or any(len(shape) < axis for shape in in_shapes):
        raise ModelError(
            f"concat cannot join {_shapes(in_shapes)} along axis {axis}",
            why="every other axis must be alike",
            fix="flatten or pool them first",
        )
    return Concat(axis)


def _alike(name: str, in_shapes: tuple[Shape, ...]) -> None:
    if len(set(in_shapes)) > 1:
        raise ModelError(
            f"{name} cannot join {_shapes(in_shapes)}",
            why="all its inputs must have one shape",
            fix="make them alike, or use concat",
        )


def _shapes(in_shapes: tuple[Shape, ...]) -> str:
    return " and ".join(str(list(shape)) for shape in in_shapes)
