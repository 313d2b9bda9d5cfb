"""Redshifts from images: the inception network of Pasquet et al. 2019, and a smaller one.

https://arxiv.org/abs/1806.06607
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError

_STAGES = 3  # poolings of stride 2


class Convolution(nn.Module):
    """A convolution that keeps height and width, and its activation.

    Weights are those of Glorot and Bengio (Xavier), biases 0.1.
    """

    def __init__(self, channels: int, filters: int, kernel: int, leaky: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, filters, kernel, padding=kernel // 2)
        self.activation = nn.LeakyReLU(0.3) if leaky else nn.PReLU(filters, init=0.0)
        initialise(self.convolution)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, channels, H, W]` to `[B, filters, H, W]`."""
        result: Tensor = self.activation(self.convolution(x))
        return result


class Inception(nn.Module):
    """Four branches from one input: 1x1; 1x1 then 3x3; 1x1 then 5x5; 1x1 then the mean of 2x2 pixels.

    Args:
        channels: Of the input.
        narrow: Filters of the 1x1 convolutions that lead a branch.
        filters: Of the convolutions that end one.
        five: With the 5x5 branch.
        leaky: LeakyReLU instead of a PReLU per channel.
    """

    def __init__(self, channels: int, narrow: int, filters: int, five: bool, leaky: bool) -> None:
        super().__init__()
        self.one = Convolution(channels, filters, 1, leaky)
        self.three = nn.Sequential(
            Convolution(channels, narrow, 1, leaky), Convolution(narrow, filters, 3, leaky)
        )
        self.five = (
            nn.Sequential(Convolution(channels, narrow, 1, leaky), Convolution(narrow, filters, 5, leaky))
            if five
            else None
        )
        self.pooled = Convolution(channels, narrow, 1, leaky)
        self.out_channels = (3 if five else 2) * filters + narrow

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, H, W]` to `[B, out_channels, H, W]`."""
        # A repeated edge gives the mean of the pixels that are there, as `same` padding does in TensorFlow.
        means = functional.avg_pool2d(functional.pad(self.pooled(x), (0, 1, 0, 1), mode="replicate"), 2, 1)
        branches = [self.one(x), *([self.five(x)] if self.five is not None else []), self.three(x), means]
        return torch.cat(branches, 1)


class PasquetNet(nn.Module):
    """Bands stacked as channels, inception modules, and fully connected layers behind the reddening.

    Args:
        images: Names of the images whose channels are the bands.
        numbers: Names of the numbers that join behind the flattened maps.
        body: Bands to maps.
        head: Flattened maps and numbers to the output.
    """

    def __init__(self, images: list[str], numbers: list[str], body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.images, self.numbers, self.body, self.head = images, numbers, body, head

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> Tensor:
        """One image `[B, bands, H, W]`, or images and numbers by name, to `[B, num_outputs]`."""
        if isinstance(inputs, Tensor):
            inputs = {self.images[0]: inputs}
        maps = self.body(torch.cat([inputs[name] for name in self.images], 1))
        values = [maps.flatten(1), *(inputs[name].flatten(1) for name in self.numbers)]
        result: Tensor = self.head(torch.cat(values, 1))
        return result


def pasquet(inputs: dict[str, TensorSpec], num_outputs: int) -> nn.Module:
    """The network of Pasquet et al. 2019: probabilities of redshift bins from images and reddening.

    Convolution 64 5x5, pooling, inception (48, 64) and (64, 92), pooling, twice (92, 128), pooling,
    (92, 128) without 5x5, two hidden layers of 1096. PReLU per channel, Xavier weights, biases 0.1. The
    paper has 5 bands of 64x64 pixels, the galactic reddening E(B-V), and 180 bins of redshifts 0 to 0.4.

    Args:
        inputs: One or more images of one size, whose channels are the bands; numbers, such as the
            reddening, join behind the flattened maps.
        num_outputs: Number of bins; 0 leaves the output layer out.

    Raises:
        ModelError: There is no image, an input is neither image nor number, or the images differ in size.
    """
    images, numbers, channels, area = _read(inputs, "pasquet")
    body, width = _body(channels, [(48, 64), (64, 92)], [(92, 128), (92, 128)], leaky=False)
    first = nn.Linear(width * area + _width(inputs, numbers), 1096)
    layers: list[nn.Module] = [first, nn.ReLU(), nn.Linear(1096, 1096), nn.ReLU()]
    layers += [nn.Linear(1096, num_outputs)] if num_outputs else []
    return _net(images, numbers, body, layers)


def pasquet_small(inputs: dict[str, TensorSpec], num_outputs: int) -> nn.Module:
    """A smaller variant without hidden layers, for images of 32x32 pixels.

    Convolution 64 5x5, pooling, inception (48, 64), pooling, (92, 128), pooling, (92, 128) without 5x5,
    and the output layer; LeakyReLU instead of PReLU.

    Args:
        inputs: One or more images of one size, whose channels are the bands; numbers join behind the maps.
        num_outputs: Number of bins; 0 leaves the output layer out.

    Raises:
        ModelError: There is no image, an input is neither image nor number, or the images differ in size.
    """
    images, numbers, channels, area = _read(inputs, "pasquet_small")
    body, width = _body(channels, [(48, 64)], [(92, 128)], leaky=True)
    features = width * area + _width(inputs, numbers)
    return _net(images, numbers, body, [nn.Linear(features, num_outputs)] if num_outputs else [])


def initialise(layer: nn.Conv2d | nn.Linear) -> None:
    """Xavier weights and biases of 0.1."""
    nn.init.xavier_uniform_(layer.weight)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, 0.1)


def _body(
    channels: int, second: list[tuple[int, int]], third: list[tuple[int, int]], *, leaky: bool
) -> tuple[nn.Module, int]:
    parts: list[nn.Module] = [Convolution(channels, 64, 5, leaky), nn.AvgPool2d(2)]
    width = 64
    for modules in (second, third):
        for narrow, filters in modules:
            module = Inception(width, narrow, filters, True, leaky)
            parts.append(module)
            width = module.out_channels
        parts.append(nn.AvgPool2d(2))
    last = Inception(width, 92, 128, False, leaky)
    return nn.Sequential(*parts, last), last.out_channels


def _net(images: list[str], numbers: list[str], body: nn.Module, layers: list[nn.Module]) -> nn.Module:
    for layer in layers:
        if isinstance(layer, nn.Linear):
            initialise(layer)
    return PasquetNet(images, numbers, body, nn.Sequential(*layers))


def _read(inputs: dict[str, TensorSpec], model: str) -> tuple[list[str], list[str], int, int]:
    """Images, numbers, bands, and pixels of the last maps."""
    images = [name for name, spec in inputs.items() if spec.type == "image"]
    numbers = [name for name, spec in inputs.items() if spec.type == "number"]
    sizes = {inputs[name].shape[1:] for name in images}
    if len(images) + len(numbers) < len(inputs) or len(sizes) != 1:
        listed = ", ".join(f"{name} ({spec.type} {list(spec.shape)})" for name, spec in inputs.items())
        raise ModelError(
            f"{model} reads images of one size and numbers, but the inputs are: {listed}",
            where="model",
            fix="give the images one `size`, and leave out what is neither image nor number",
        )
    [(height, width)] = sizes
    if min(height, width) >> _STAGES == 0:
        raise ModelError(
            f"an image of {width}x{height} pixels is too small for {model}",
            where="model",
            fix=f"give images of at least {2**_STAGES} pixels a side",
        )
    channels = sum(inputs[name].shape[0] for name in images)
    return images, numbers, channels, (height >> _STAGES) * (width >> _STAGES)


def _width(inputs: dict[str, TensorSpec], numbers: list[str]) -> int:
    return sum(max(1, *inputs[name].shape) if inputs[name].shape else 1 for name in numbers)
