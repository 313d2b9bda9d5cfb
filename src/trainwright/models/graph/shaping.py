"""Layers that only rearrange, resize or pad."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor, nn

from trainwright.errors import ModelError
from trainwright.fields import NonNegativeInt, PositiveInt

Shape = tuple[int, ...]


class Reshape(nn.Module):
    """Another shape of the same values, sample by sample."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """`[B, ...]` to `[B, *shape]`."""
        return x.reshape(x.shape[0], *self.shape)


class Permute(nn.Module):
    """Another order of the axes behind the batch."""

    def __init__(self, order: tuple[int, ...]) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        """`[B, ...]` with its other axes reordered."""
        return x.permute(0, *self.order)


def flatten(in_shape: Shape) -> nn.Module:
    """`[B, ...]` to `[B, F]`."""
    return nn.Flatten()


def reshape(in_shape: Shape, *, shape: list[int]) -> nn.Module:
    """Another shape of the same values.

    Args:
        in_shape: Shape of its input.
        shape: Without the batch axis; one number may be -1, for what is left.
    """
    total, known = math.prod(in_shape), math.prod(n for n in shape if n != -1)
    if shape.count(-1) > 1 or any(n < -1 or n == 0 for n in shape):
        raise ModelError(f"{shape} is no shape", fix="give positive numbers, and -1 at most once")
    if total % known if -1 in shape else total != known:
        raise ModelError(
            f"{list(in_shape)} has {total} values and cannot become {shape}",
            fix="give a shape of as many values",
        )
    return Reshape(tuple(total // known if n == -1 else n for n in shape))


def permute(in_shape: Shape, *, order: list[PositiveInt]) -> nn.Module:
    """Another order of axes.

    Args:
        in_shape: Shape of its input.
        order: The present axes in their new order, counted from 1 without the batch axis, as in Keras.
    """
    if sorted(order) != list(range(1, len(in_shape) + 1)):
        raise ModelError(
            f"{order} does not name every axis of {list(in_shape)} once",
            fix=f"order the numbers 1 to {len(in_shape)}",
        )
    return Permute(tuple(order))


def upsample(
    in_shape: Shape, *, factor: PositiveInt = 2, mode: Literal["nearest", "linear"] = "nearest"
) -> nn.Module:
    """Enlarges every axis behind the channels.

    Args:
        in_shape: Channels and one to three axes.
        factor: Of enlargement.
        mode: Repeat values, or interpolate linearly between them.
    """
    linear = {2: "linear", 3: "bilinear", 4: "trilinear"}
    if len(in_shape) not in linear:
        raise ModelError(
            f"upsample reads channels and one to three axes, not {list(in_shape)}",
            fix="put it behind a layer with channels and positions",
        )
    if mode == "nearest":
        return nn.Upsample(scale_factor=factor, mode="nearest")
    return nn.Upsample(scale_factor=factor, mode=linear[len(in_shape)], align_corners=False)


def zero_pad(in_shape: Shape, *, size: NonNegativeInt = 1) -> nn.Module:
    """Zeros around every axis behind the channels.

    Args:
        in_shape: Channels and one to three axes.
        size: Pixels on every side.
    """
    return nn.ConstantPad3d(size, 0.0) if len(in_shape) == 4 else _pad(len(in_shape) - 1, size)


def _pad(axes: int, size: int) -> nn.Module:
    return nn.ConstantPad2d(size, 0.0) if axes == 2 else nn.ConstantPad1d(size, 0.0)
