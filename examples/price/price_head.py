"""A head of one's own: a price, whose error is told in percent."""

import torch
from torch import Tensor, nn

TARGETS = ("number",)


class PriceHead(nn.Module):
    """Predicts the logarithm of a price, so that twice and half are equally wrong.

    The target column has to be `normalise: none`: a logarithm is taken of the price itself.

    Args:
        channels: Channels of the feature maps, the finest first.
        hidden: Width of the layer in between.
        around: A price in the middle, where the head starts.
    """

    def __init__(self, channels: tuple[int, ...], *, hidden: int = 64, around: float = 100.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(sum(channels), hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.register_buffer("start", torch.tensor(around).log())

    def logarithm(self, features: list[Tensor]) -> Tensor:
        """Natural logarithm of the price, `[B, 1]`."""
        pooled = torch.cat([map.mean((2, 3)) for map in features], 1)
        return self.layers(pooled).float() + self.start

    def loss(self, features: list[Tensor], target: Tensor) -> Tensor:
        """Distance of the logarithms, which for small ones is the relative error, `[B]`."""
        return (self.logarithm(features) - target.clamp(min=1e-6).log()).abs()[:, 0]

    def predict(self, features: list[Tensor]) -> Tensor:
        """The price, `[B, 1]`."""
        return self.logarithm(features).exp()
