"""Pooling over one, two or three axes, as the input has them."""

from __future__ import annotations

from torch import Tensor, nn

from trainwright.errors import ModelError
from trainwright.fields import NonNegativeInt, PositiveInt

Shape = tuple[int, ...]
_MAX: dict[int, type[nn.Module]] = {2: nn.MaxPool1d, 3: nn.MaxPool2d, 4: nn.MaxPool3d}
_AVERAGE: dict[int, type[nn.Module]] = {2: nn.AvgPool1d, 3: nn.AvgPool2d, 4: nn.AvgPool3d}


class GlobalPool(nn.Module):
    """Mean or maximum over every axis behind the channels: `[B, C, ...]` to `[B, C]`."""

    def __init__(self, maximum: bool) -> None:
        super().__init__()
        self.maximum = maximum

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, ...]` to `[B, C]`."""
        flat = x.flatten(2)
        return flat.amax(2) if self.maximum else flat.mean(2)


def max_pool(
    in_shape: Shape,
    *,
    size: PositiveInt = 2,
    stride: PositiveInt | None = None,
    padding: NonNegativeInt = 0,
) -> nn.Module:
    """Largest value of each window.

    Args:
        in_shape: Channels and one to three axes.
        size: Side of the window.
        stride: Step; the window's side when absent.
        padding: Pixels added on every side.
    """
    return _kind(_MAX, in_shape)(size, stride=stride, padding=padding)


def avg_pool(
    in_shape: Shape,
    *,
    size: PositiveInt = 2,
    stride: PositiveInt | None = None,
    padding: NonNegativeInt = 0,
) -> nn.Module:
    """Mean of each window.

    Args:
        in_shape: Channels and one to three axes.
        size: Side of the window.
        stride: Step; the window's side when absent.
        padding: Zeros added on every side, and counted.
    """
    return _kind(_AVERAGE, in_shape)(size, stride=stride, padding=padding)


def global_avg_pool(in_shape: Shape) -> nn.Module:
    """Mean over everything but the channels."""
    _kind(_AVERAGE, in_shape)
    return GlobalPool(maximum=False)


def global_max_pool(in_shape: Shape) -> nn.Module:
    """Maximum over everything but the channels."""
    _kind(_AVERAGE, in_shape)
    return GlobalPool(maximum=True)


def _kind(kinds: dict[int, type[nn.Module]], in_shape: Shape) -> type[nn.Module]:
    if len(in_shape) not in kinds:
        raise ModelError(
            f"pooling reads channels and one to three axes, not {list(in_shape)}",
            fix="take it out, or put it before flatten",
        )
    return kinds[len(in_shape)]
