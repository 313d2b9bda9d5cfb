"""How weights start: functions that fill a tensor in place, from the default generators."""

from __future__ import annotations

import math

from torch import Tensor, nn

from trainwright.fields import NonNegative, Positive


def glorot_uniform(tensor: Tensor, *, gain: Positive = 1.0) -> None:
    """Uniform, variance `2 gain^2 / (fan_in + fan_out)`: Glorot and Bengio, AISTATS 2010."""
    nn.init.xavier_uniform_(tensor, gain=gain)


def glorot_normal(tensor: Tensor, *, gain: Positive = 1.0) -> None:
    """Normal, variance `2 gain^2 / (fan_in + fan_out)`: Glorot and Bengio, AISTATS 2010."""
    nn.init.xavier_normal_(tensor, gain=gain)


def he_uniform(tensor: Tensor) -> None:
    """Uniform, variance `2 / fan_in`: He et al., ICCV 2015, for ReLU."""
    nn.init.kaiming_uniform_(tensor, nonlinearity="relu")


def he_normal(tensor: Tensor) -> None:
    """Normal, variance `2 / fan_in`: He et al., ICCV 2015, for ReLU."""
    nn.init.kaiming_normal_(tensor, nonlinearity="relu")


def lecun_uniform(tensor: Tensor) -> None:
    """Uniform, variance `1 / fan_in`: LeCun et al., "Efficient backprop", 1998."""
    nn.init.kaiming_uniform_(tensor, nonlinearity="linear")


def lecun_normal(tensor: Tensor) -> None:
    """Normal, variance `1 / fan_in`: LeCun et al., "Efficient backprop", 1998; for SELU."""
    nn.init.kaiming_normal_(tensor, nonlinearity="linear")


def orthogonal(tensor: Tensor, *, gain: Positive = 1.0) -> None:
    """Orthogonal rows (or columns): Saxe et al., ICLR 2014."""
    nn.init.orthogonal_(tensor, gain=gain)


def zeros(tensor: Tensor) -> None:
    """All 0."""
    nn.init.zeros_(tensor)


def ones(tensor: Tensor) -> None:
    """All 1."""
    nn.init.ones_(tensor)


def constant(tensor: Tensor, *, value: float = 0.0) -> None:
    """All `value`."""
    nn.init.constant_(tensor, value)


def uniform(tensor: Tensor, *, low: float = -0.05, high: float = 0.05) -> None:
    """Uniform between `low` and `high`."""
    nn.init.uniform_(tensor, low, high)


def normal(tensor: Tensor, *, mean: float = 0.0, std: NonNegative = 0.05) -> None:
    """Normal with that mean and standard deviation."""
    nn.init.normal_(tensor, mean, std)


def truncated_normal(tensor: Tensor, *, mean: float = 0.0, std: Positive = 0.05) -> None:
    """Normal, cut off two (untruncated) standard deviations `std` from the mean."""
    nn.init.trunc_normal_(tensor, mean, std, mean - 2 * std, mean + 2 * std)


def variance_scaling(tensor: Tensor, *, scale: Positive = 1.0) -> None:
    """Uniform, variance `scale / fan_average`."""
    nn.init.xavier_uniform_(tensor, gain=math.sqrt(scale))
