"""Make signals larger or smaller."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from trainwright.data.augment.base import Address
from trainwright.data.augment.signals import SignalAugment, per_sample
from trainwright.errors import RecipeError
from trainwright.fields import Positive


class Amplitude(SignalAugment):
    """Multiplies each series or waveform by a factor, the same for all its channels.

    Args:
        low: Least factor.
        high: Greatest factor; factors lie evenly in their logarithm.
    """

    def __init__(self, *, low: Positive = 0.8, high: Positive = 1.25) -> None:
        if high < low:
            raise RecipeError(
                f"high {high:g} is less than low {low:g}", where="data.augment", fix="exchange low and high"
            )
        self.low, self.high = low, high

    def __call__(self, signals: Tensor, address: Address) -> Tensor:
        """Signals of the same shape."""
        span = math.log(self.high / self.low)
        return signals * per_sample(self.low * np.exp(span * address.uniform(1)[:, 0]), signals)
