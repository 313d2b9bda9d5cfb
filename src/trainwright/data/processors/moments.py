"""Count, mean, variance and range of numbers that come in parts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass
class Moments:
    """Statistics of all numbers added so far, in float64.

    Parts are merged by the pairwise update of Chan, Golub and LeVeque, "Updating formulae and a pairwise
    algorithm for computing sample variances" (1979), which loses no digits where the mean is far from 0.

    Attributes:
        count: How many there were.
        mean: Their mean, 0 where there were none.
        variance: Mean squared distance from it.
        low: The smallest, 0 where there were none.
        high: The largest.
    """

    count: int = 0
    mean: float = 0.0
    variance: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def add(self, numbers: npt.NDArray[np.float64]) -> None:
        """Adds numbers `[N]`, all finite."""
        if not len(numbers):
            return
        part = Moments(
            len(numbers),
            float(numbers.mean()),
            float(numbers.var()),
            float(numbers.min()),
            float(numbers.max()),
        )
        self._merge(part)

    @property
    def spread(self) -> float:
        """The standard deviation, or the range where squares of tiny values vanish."""
        return math.sqrt(self.variance) or self.high - self.low

    def _merge(self, part: Moments) -> None:
        if not self.count:
            self.__dict__.update(part.__dict__)
            return
        count = self.count + part.count
        share = part.count / count
        delta = part.mean - self.mean
        self.variance += (part.variance - self.variance) * share + delta * delta * share * (1 - share)
        self.mean += delta * share
        self.low, self.high = min(self.low, part.low), max(self.high, part.high)
        self.count = count
