"""Hide a stretch of time (SpecAugment, Park et al., 2019, arXiv:1904.08779)."""

from __future__ import annotations

from torch import Tensor

from trainwright.data.augment.base import Address
from trainwright.data.augment.signals import SignalAugment, bands, masked
from trainwright.fields import Fraction, PositiveInt


class TimeMask(SignalAugment):
    """Sets stretches of random place and length to the sample's mean, in all channels and bands.

    Args:
        longest: Greatest length of a stretch as a share of the signal.
        count: Number of stretches.
    """

    def __init__(self, *, longest: Fraction = 0.2, count: PositiveInt = 1) -> None:
        self.longest, self.count = longest, count

    def __call__(self, signals: Tensor, address: Address) -> Tensor:
        """Signals of the same shape."""
        draws = address.uniform(2 * self.count)
        for place in range(self.count):
            chosen = bands(draws[:, 2 * place : 2 * place + 2], self.longest, signals.shape[-1])
            signals = masked(signals, -1, *chosen)
        return signals
