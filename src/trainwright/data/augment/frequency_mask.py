"""Hide a band of frequencies (SpecAugment, Park et al., 2019, arXiv:1904.08779)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from trainwright.data.augment.base import Address
from trainwright.data.augment.signals import SignalAugment, bands, masked
from trainwright.errors import RecipeError
from trainwright.fields import Fraction, PositiveInt


class FrequencyMask(SignalAugment):
    """Sets bands of random place and width of a spectrogram to the sample's mean.

    Args:
        widest: Greatest width of a band as a share of all frequencies.
        count: Number of bands.
    """

    types: ClassVar[frozenset[str]] = frozenset({"audio"})

    def __init__(self, *, widest: Fraction = 0.2, count: PositiveInt = 1) -> None:
        self.widest, self.count = widest, count

    def __call__(self, signals: Tensor, address: Address) -> Tensor:
        """Spectrograms of the same shape. Raises `RecipeError` for a waveform."""
        if signals.dim() != 4:
            raise RecipeError(
                "a waveform has no frequencies to mask",
                where="data.augment",
                fix="give the audio column features: log_mel, or use time_mask",
            )
        draws = address.uniform(2 * self.count)
        for place in range(self.count):
            chosen = bands(draws[:, 2 * place : 2 * place + 2], self.widest, signals.shape[-2])
            signals = masked(signals, -2, *chosen)
        return signals
