"""Normalisation layers."""

from __future__ import annotations

from typing import Literal

from torch import nn

from trainwright.errors import ModelError
from trainwright.fields import Fraction, Positive, PositiveInt

Shape = tuple[int, ...]
_BATCH: dict[int, type[nn.Module]] = {
    1: nn.BatchNorm1d,
    2: nn.BatchNorm1d,
    3: nn.BatchNorm2d,
    4: nn.BatchNorm3d,
}


def batch_norm(in_shape: Shape, *, momentum: Fraction = 0.1, eps: Positive = 1e-5) -> nn.Module:
    """Batch normalisation of every channel: Ioffe and Szegedy, ICML 2015.

    Args:
        in_shape: Channels first.
        momentum: Share of the new batch in the running statistics (Keras counts the other share).
        eps: Added to the variance.
    """
    if len(in_shape) not in _BATCH:
        raise ModelError(
            f"batch_norm reads channels and up to three axes, not {list(in_shape)}",
            fix="put it behind a layer with channels, or use layer_norm",
        )
    return _BATCH[len(in_shape)](in_shape[0], momentum=momentum, eps=eps)


def layer_norm(in_shape: Shape, *, axes: Literal["last", "all"] = "last", eps: Positive = 1e-5) -> nn.Module:
    """Layer normalisation: Ba, Kiros and Hinton, arXiv:1607.06450.

    Args:
        in_shape: Shape of its input.
        axes: Over the last axis, or over all axes of a sample.
        eps: Added to the variance.
    """
    return nn.LayerNorm(list(in_shape[-1:] if axes == "last" else in_shape), eps=eps)


def group_norm(in_shape: Shape, *, groups: PositiveInt = 8, eps: Positive = 1e-5) -> nn.Module:
    """Group normalisation of channels: Wu and He, ECCV 2018.

    Args:
        in_shape: Channels first.
        groups: Number of groups; must divide the channels.
        eps: Added to the variance.
    """
    if in_shape[0] % groups:
        raise ModelError(
            f"{in_shape[0]} channels cannot be parted into {groups} equal groups",
            fix="choose a number of groups that divides the channels",
        )
    return nn.GroupNorm(groups, in_shape[0], eps=eps)
