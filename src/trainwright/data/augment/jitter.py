"""Add noise to signals."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Address
from trainwright.data.augment.signals import SignalAugment
from trainwright.fields import NonNegative


class Jitter(SignalAugment):
    """Adds Gaussian noise to every value of a series, a waveform or a spectrogram.

    Args:
        strength: Standard deviation of the noise, in standard deviations of the sample itself.
    """

    def __init__(self, *, strength: NonNegative = 0.05) -> None:
        self.strength = strength

    def __call__(self, signals: Tensor, address: Address) -> Tensor:
        """Signals of the same shape."""
        count = signals[0].numel()
        half = -(-count // 2)
        draws = address.uniform(2 * half)
        # Box and Muller, "A note on the generation of random normal deviates", 1958.
        radius = np.sqrt(-2 * np.log1p(-draws[:, :half]))
        angle = 2 * np.pi * draws[:, half:]
        normal = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:, :count]
        noise = torch.from_numpy(normal.astype(np.float32)).to(signals.device).view(signals.shape)
        spread = signals.std(dim=tuple(range(1, signals.dim())), keepdim=True, correction=0)
        return signals + self.strength * spread * noise
