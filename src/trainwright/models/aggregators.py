"""How the features of several encoders become one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainwright.errors import ModelError


class Concat(nn.Module):
    """One after the other.

    Args:
        widths: Widths of the features.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.out_features = sum(widths)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Tensors `[B, F_i]` to `[B, sum F_i]`."""
        return torch.cat(features, dim=1)


class Sum(nn.Module):
    """Sum, value by value.

    Args:
        widths: Widths of the features, all alike.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.out_features = _common("sum", widths)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Tensors `[B, F]` to `[B, F]`."""
        return torch.stack(features).sum(0)


class Mean(nn.Module):
    """Mean, value by value.

    Args:
        widths: Widths of the features, all alike.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.out_features = _common("mean", widths)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Tensors `[B, F]` to `[B, F]`."""
        return torch.stack(features).mean(0)


def _common(name: str, widths: list[int]) -> int:
    if len(set(widths)) > 1:
        raise ModelError(
            f"{name} cannot join features of widths {', '.join(map(str, widths))}",
            where="model.aggregator",
            fix="give every encoder the same width, or use concat",
        )
    return widths[0]
