"""Two small networks for adversarial training on small images."""

from __future__ import annotations

import math

from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.fields import OpenFraction, PositiveInt
from trainwright.models.inputs import only_image


class Adversary(nn.Module):
    """A generator and a discriminator of images, fully connected."""

    def __init__(self, shape: tuple[int, int, int], latent: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.latent = latent
        pixels = math.prod(shape)
        self.generator = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, pixels),
            nn.Unflatten(1, shape),
        )
        self.discriminator = nn.Sequential(
            nn.Flatten(),
            nn.Linear(pixels, hidden),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout),
            nn.Linear(hidden, 1),
        )

    def forward(self, noise: Tensor) -> Tensor:
        """Generated images `[B, C, H, W]`, normalised as the real ones are, from noise `[B, latent]`."""
        return self.generator(noise)


def adversary(
    inputs: dict[str, TensorSpec],
    *,
    latent: PositiveInt = 16,
    hidden: PositiveInt = 64,
    dropout: OpenFraction = 0.25,
) -> nn.Module:
    """Generator and discriminator for the task `adversarial`: Goodfellow et al., 2014, arXiv:1406.2661.

    Args:
        inputs: One image `[B, C, H, W]`.
        latent: Numbers of noise per image.
        hidden: Width of both networks.
        dropout: Dropout in the discriminator.
    """
    return Adversary(only_image(inputs, "adversary"), latent, hidden, dropout)
