"""Add noise to every pixel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Address, Augment, like_stored
from trainwright.fields import Fraction, NonNegative

_LEVELS = 1 << 16


class Noise(Augment):
    """Adds Gaussian noise, each value of each pixel its own.

    A 64-bit word gives four of 65,536 evenly likely quantiles of the distribution, so no value is further
    from the mean than 4.3 standard deviations.

    Args:
        deviation: Largest standard deviation, on the scale of 0 to 1 for black to white; each image has one
            evenly between 0 and this.
        probability: Share of the images with noise.
    """

    def __init__(self, *, deviation: NonNegative = 0.05, probability: Fraction = 0.5) -> None:
        self.deviation, self.probability = deviation, probability
        middles = (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _LEVELS
        self._quantiles = (torch.erfinv(2 * middles - 1) * 2**0.5).float().numpy()

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]`, some of them noisy."""
        chosen, drawn = address.uniform(2).T
        scale = np.where(chosen < self.probability, 255 * self.deviation * drawn, 0.0)
        values = images[0].numel()
        words = address.words(-(-values // 4)).astype("<u8")
        normal = self._quantiles[words.view("<u2")[:, :values]] * scale[:, None].astype(np.float32)
        noise = torch.from_numpy(normal).to(images.device).view(images.shape)
        return like_stored(images.float() + noise, images.dtype)
