"""Numbers with a symmetric beta distribution, from uniform ones."""

from __future__ import annotations

import numpy as np

_POINTS = 4097


class SymmetricBeta:
    """Turns uniform numbers into Beta(alpha, alpha) ones by the inverse of its distribution function.

    The lower half is tabulated over s = x**alpha, in which the density (1 - s**(1/alpha))**(alpha - 1) is
    smooth even where that of x has a pole; the upper half is its mirror image.

    Args:
        alpha: Positive.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha
        self._powers = np.linspace(0, 0.5**alpha, _POINTS)
        density = (1 - self._powers ** (1 / alpha)) ** (alpha - 1)
        steps = (density[1:] + density[:-1]) / 2 * np.diff(self._powers)
        total = np.concatenate([[0], np.cumsum(steps)])
        self._probability = total / total[-1] / 2

    def __call__(self, uniform: np.ndarray) -> np.ndarray:
        """Numbers in [0, 1] from uniform ones in [0, 1), of the same shape."""
        lower = np.minimum(uniform, 1 - uniform)
        x = np.interp(lower, self._probability, self._powers) ** (1 / self.alpha)
        return np.where(uniform <= 0.5, x, 1 - x)
