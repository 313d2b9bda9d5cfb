"""Activations and layers that add noise in training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainwright.errors import ModelError
from trainwright.fields import NonNegative, OpenFraction
from trainwright.models.activations import activation as build_activation

Shape = tuple[int, ...]
_SPATIAL: dict[int, type[nn.Module]] = {2: nn.Dropout1d, 3: nn.Dropout2d, 4: nn.Dropout3d}


class GaussianNoise(nn.Module):
    """Adds normal noise in training."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x + self.std * torch.randn_like(x) if self.training else x


def activation(in_shape: Shape, *, function: str) -> nn.Module:
    """An activation function by name; its name may also be written as the layer's type.

    Args:
        in_shape: Shape of its input.
        function: Such as relu.
    """
    return build_activation(function)


def dropout(in_shape: Shape, *, rate: OpenFraction = 0.5) -> nn.Module:
    """Sets values to zero in training: Srivastava et al., JMLR 2014.

    Args:
        in_shape: Shape of its input.
        rate: Share of values.
    """
    return nn.Dropout(rate)


def spatial_dropout(in_shape: Shape, *, rate: OpenFraction = 0.5) -> nn.Module:
    """Sets whole channels to zero in training: Tompson et al., CVPR 2015.

    Args:
        in_shape: Channels and one to three axes.
        rate: Share of channels.
    """
    if len(in_shape) not in _SPATIAL:
        raise ModelError(
            f"spatial_dropout reads channels and one to three axes, not {list(in_shape)}", fix="use dropout"
        )
    return _SPATIAL[len(in_shape)](rate)


def gaussian_noise(in_shape: Shape, *, std: NonNegative = 0.1) -> nn.Module:
    """Adds normal noise in training.

    Args:
        in_shape: Shape of its input.
        std: Standard deviation.
    """
    return GaussianNoise(std)
