"""Turn about the middle."""

from __future__ import annotations

from typing import Literal

import numpy as np

from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.warp import Warp, about_centre, linear_maps
from trainwright.fields import Fraction, NonNegative


class Rotation(Geometric):
    """Turns each picture by an angle evenly between -degrees and degrees.

    Args:
        degrees: Largest turn to either side.
        probability: Share of the pictures that are turned.
        fill: Outside of the picture: black, its edge drawn out, or its mirror image.
        min_visible: Objects of which a smaller share of the box is left are gone.
    """

    def __init__(
        self,
        *,
        degrees: NonNegative = 15.0,
        probability: Fraction = 1.0,
        fill: Literal["zero", "edge", "reflect"] = "zero",
        min_visible: Fraction = 0.2,
    ) -> None:
        self.degrees, self.probability, self.fill, self.min_visible = degrees, probability, fill, min_visible

    def warp(self, size: tuple[int, int], address: Address) -> Warp:
        """One rotation per picture."""
        chosen, drawn = address.uniform(2).T
        angle = np.where(chosen < self.probability, np.radians(self.degrees) * (2 * drawn - 1), 0.0)
        zero = np.zeros_like(angle)
        linear = linear_maps(angle, zero + 1, zero, zero)
        return Warp(about_centre(linear, size), size, size, self.fill)
