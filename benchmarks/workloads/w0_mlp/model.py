"""The network of W0, the same for every contestant."""

from torch import nn


def build() -> nn.Module:
    """Rows `[B, 32]` to logits `[B, 10]`."""
    return nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
