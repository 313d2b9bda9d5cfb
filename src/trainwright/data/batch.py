"""One micro-batch, ready for the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

Value: TypeAlias = "Tensor | dict[str, Tensor]"
"""A column of a batch: one tensor `[B, ...]`, or several by name, such as boxes and their labels."""


@dataclass(slots=True)
class Batch:
    """One micro-batch on the device of the model.

    Attributes:
        inputs: Column -> tensor `[B, ...]`, ready for the model, or several of them by name.
        targets: Column -> tensor `[B, ...]`, or several of them by name.
        ids: Row numbers, int64 `[B]`; the address of each sample.
        epoch: Epoch the batch belongs to.
        weights: Weight of each sample in the loss, float32 `[B]`; None where all are 1.
    """

    inputs: dict[str, Value]
    targets: dict[str, Value]
    ids: np.ndarray
    epoch: int = 0
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)


def over(value: Value, function: Callable[[Tensor], Tensor]) -> Value:
    """A column with every tensor of it replaced by `function` of it."""
    if isinstance(value, dict):
        return {name: function(tensor) for name, tensor in value.items()}
    return function(value)


def tensors_of(columns: dict[str, Value]) -> dict[str, Tensor]:
    """Every tensor of some columns; those of a column of several are called `column.part`."""
    found: dict[str, Tensor] = {}
    for name, value in columns.items():
        found |= (
            {f"{name}.{part}": t for part, t in value.items()} if isinstance(value, dict) else {name: value}
        )
    return found


def divided(value: Value, sizes: list[int]) -> list[Value]:
    """A column cut along the batch axis into pieces of these sizes."""
    if not isinstance(value, dict):
        return list(value.split(sizes))
    parts = [tensor.split(sizes) for tensor in value.values()]
    return [dict(zip(value, pieces, strict=True)) for pieces in zip(*parts, strict=True)]


def joined(values: list[Value]) -> Value:
    """Columns of several batches, one after the other."""
    first = values[0]
    if not isinstance(first, dict):
        return torch.cat(values)
    return {name: torch.cat([value[name] for value in values]) for name in first}


def laid_out(images: Tensor, *, channels_last: bool) -> Tensor:
    """Images `[B, C, H, W]` in a memory format, with the very strides of that format.

    The strides of an axis of size 1 are open, and both formats of a grey image are the same memory. But
    kernels are chosen by strides, and two kernels may differ in the last bit: so the strides are settled.
    """
    format = torch.channels_last if channels_last else torch.contiguous_format
    _, channels, height, width = images.shape
    size = channels * height * width
    strides = (size, 1, width * channels, channels) if channels_last else (size, height * width, width, 1)
    moved = images.contiguous(memory_format=format)
    return moved if moved.stride() == strides else moved.as_strided(moved.shape, strides)
