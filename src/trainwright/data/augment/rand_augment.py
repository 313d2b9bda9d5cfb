"""Several random operations of one strength (Cubuk et al., 2020, arXiv:1909.13719)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from trainwright.data.augment.policy import Policy
from trainwright.fields import PositiveInt


class RandAugment(Policy):
    """Applies operations out of 14 to each image, with one strength and a random sign.

    Boxes, masks and points follow the five that move pixels. Moves come after colours, as one resampling.

    Args:
        count: Operations per image.
        magnitude: Strength on the paper's scale from 0 to 30.
    """

    def __init__(
        self, *, count: PositiveInt = 2, magnitude: Annotated[float, Interval(ge=0, le=30)] = 9.0
    ) -> None:
        super().__init__(layers=count, shift=0.45, degrees=30.0)
        self.magnitude = magnitude

    def magnitudes(self, draws: np.ndarray) -> np.ndarray:
        """The strength with a random sign."""
        return np.where(draws < 0.5, -0.9, 0.9) * self.magnitude / 30
