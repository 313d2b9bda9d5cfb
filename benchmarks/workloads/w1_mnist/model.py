"""The network of W1, the same for every contestant."""

from torch import nn


def build() -> nn.Module:
    """Images `[B, 1, 28, 28]` to logits `[B, 10]`."""
    layers: list[nn.Module] = []
    channels = 1
    for width in (16, 32, 64):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))
