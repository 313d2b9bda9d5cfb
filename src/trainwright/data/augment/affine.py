"""Turn, scale, shift and shear."""

from __future__ import annotations

from typing import Literal

import numpy as np

from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.warp import Warp, about_centre, linear_maps, shifts
from trainwright.fields import Fraction, NonNegative, Positive


class Affine(Geometric):
    """Turns, scales, shifts and shears each picture about its middle, each evenly within its range.

    Args:
        degrees: Largest turn to either side.
        scale: Least and greatest factor of the size, even in its logarithm.
        shift: Largest shift to either side, as a share of the side.
        shear: Largest shear in degrees, in either direction.
        probability: Share of the pictures that are changed.
        fill: Outside of the picture: black, its edge drawn out, or its mirror image.
        min_visible: Objects of which a smaller share of the box is left are gone.
    """

    def __init__(
        self,
        *,
        degrees: NonNegative = 10.0,
        scale: tuple[Positive, Positive] = (0.8, 1.25),
        shift: Fraction = 0.1,
        shear: NonNegative = 0.0,
        probability: Fraction = 1.0,
        fill: Literal["zero", "edge", "reflect"] = "zero",
        min_visible: Fraction = 0.2,
    ) -> None:
        self.degrees, self.scale, self.shift, self.shear = degrees, scale, shift, shear
        self.probability, self.fill, self.min_visible = probability, fill, min_visible

    def warp(self, size: tuple[int, int], address: Address) -> Warp:
        """One affine map per picture."""
        draws = address.uniform(7)
        spread = np.where(draws[:, :1] < self.probability, 2 * draws[:, 1:] - 1, 0.0)
        angle, log_scale, x, y, shear_x, shear_y = spread.T
        low, high = np.log(self.scale[0]), np.log(self.scale[1])
        changed = draws[:, 0] < self.probability
        scale = np.where(changed, np.exp((low + high) / 2 + log_scale * (high - low) / 2), 1.0)
        shear = np.radians(self.shear)
        linear = linear_maps(angle * np.radians(self.degrees), scale, shear_x * shear, shear_y * shear)
        moved = shifts(x * self.shift * size[1], y * self.shift * size[0])
        return Warp(moved @ about_centre(linear, size), size, size, self.fill)
