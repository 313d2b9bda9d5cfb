"""Mean, deviation and range per channel of values that come in pieces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class ChannelStatistics:
    """Statistics of `[n, K]` values over any number of pieces; missing and infinite values are passed over.

    Means and sums of squared deviations are merged pairwise (Chan, Golub and LeVeque, "Algorithms for
    computing the sample variance", The American Statistician 37, 1983), which a large mean does not
    disturb.

    Args:
        channels: K.

    Attributes:
        mean: Mean per channel, 0 without values.
        low: Least value per channel, 0 without values.
        high: Greatest value per channel, 0 without values.
    """

    def __init__(self, channels: int) -> None:
        self._count = np.zeros(channels)
        self._squares = np.zeros(channels)
        self.mean = np.zeros(channels)
        self._low = np.full(channels, np.inf)
        self._high = np.full(channels, -np.inf)

    @property
    def low(self) -> npt.NDArray[np.float64]:
        return np.where(self._count > 0, self._low, 0.0)

    @property
    def high(self) -> npt.NDArray[np.float64]:
        return np.where(self._count > 0, self._high, 0.0)

    @property
    def deviation(self) -> npt.NDArray[np.float64]:
        """Standard deviation of the population per channel."""
        spread: npt.NDArray[np.float64] = np.sqrt(self._squares / np.maximum(self._count, 1))
        return spread

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Takes in values `[n, K]`."""
        usable = np.isfinite(values)
        count = usable.sum(axis=0)
        mean = np.where(usable, values, 0.0).sum(axis=0) / np.maximum(count, 1)
        squares = (np.where(usable, values - mean, 0.0) ** 2).sum(axis=0)
        total = np.maximum(self._count + count, 1)
        apart = mean - self.mean
        self._squares += squares + apart**2 * self._count * count / total
        self.mean = self.mean + apart * count / total
        self._count += count
        self._low = np.minimum(self._low, np.where(usable, values, np.inf).min(axis=0, initial=np.inf))
        self._high = np.maximum(self._high, np.where(usable, values, -np.inf).max(axis=0, initial=-np.inf))

    def offset_and_scale(self, rule: str) -> tuple[list[float], list[float]]:
        """Per channel what `standard`, `min_max` or another rule (0 and 1) subtracts and divides by."""
        if rule == "standard":
            return self.mean.tolist(), _positive(self.deviation)
        if rule == "min_max":
            return self.low.tolist(), _positive(self.high - self.low)
        return [0.0] * len(self.mean), [1.0] * len(self.mean)


def _positive(scale: npt.NDArray[np.float64]) -> list[float]:
    return [float(value) if value > 0 else 1.0 for value in scale]
