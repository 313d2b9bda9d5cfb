"""How the features of several encoders become one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainwright.errors import ModelError


class Concat(nn.Module):
    """One after the other.

    Args:
        sizes: Widths of the features.
    """

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.out_features = sum(sizes)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Tensors `[B, F_i]` to `[B, sum F_i]`."""
        return torch.cat(features, dim=1)


class Sum(nn.Module):
    """Sum, value by value.

    Args:
        sizes: Widths of the features, all alike.
    """

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.out_features = _common("sum", sizes)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Tensors `[B, F]` to `[B, F]`."""
        return torch.stack(features).sum(0)


class Mean(nn.Module):
    """Mean, value by value.

    Args:
        sizes: Widths of the features, all alike.
    """

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.out_features = _common("mean", sizes)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Tensors `[B, F]` to `[B, F]`."""
        return torch.stack(features).mean(0)


def _common(name: str, sizes: list[int]) -> int:
    if len(set(sizes)) > 1:
        raise ModelError(
            f"{name} cannot join features of widths {', '.join(map(str, sizes))}",
            where="model.aggregator",
            fix="give every encoder the same width, or use concat",
        )
    return sizes[0]
