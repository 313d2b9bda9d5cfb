"""Convolutions in front of a detection head's outputs, the same for every level."""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

from trainwright.errors import ModelError


def tower(width: int, depth: int, norm: Literal["group", "none"]) -> nn.Sequential:
    """3x3 convolutions of one width with ReLU behind each.

    Args:
        width: Channels.
        depth: Number of convolutions.
        norm: `group` normalises each image in up to 32 groups of channels.
    """
    parts: list[nn.Module] = []
    for _ in range(depth):
        parts.append(nn.Conv2d(width, width, 3, padding=1, bias=norm == "none"))
        if norm == "group":
            parts.append(nn.GroupNorm(math.gcd(32, width), width))
        parts.append(nn.ReLU(inplace=True))
    layers = nn.Sequential(*parts)
    start(layers)
    return layers


def start(module: nn.Module) -> None:
    """Small random weights, biases 0 (both as in RetinaNet)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def one_width(channels: tuple[int, ...], head: str) -> int:
    """Channels of every level. Raises ModelError where they differ."""
    if len(set(channels)) != 1:
        raise ModelError(
            f"head {head} reads levels of one width, and these have {', '.join(map(str, channels))} channels",
            where="model.neck",
            fix="use the neck fpn or pan",
        )
    return channels[0]


def prior_bias(probability: float) -> float:
    """Bias with which a sigmoid starts at a probability."""
    return -math.log((1 - probability) / probability)
