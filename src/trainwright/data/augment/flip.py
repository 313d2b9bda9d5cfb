"""Mirror images left to right, or upside down."""

from __future__ import annotations

from typing import Literal

from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.exact import Mirror
from trainwright.fields import Fraction


class Flip(Geometric):
    """Mirrors each image with a probability; left and right keypoints change places.

    Args:
        axis: `horizontal` mirrors left to right, `vertical` upside down.
        probability: Share of the images that are mirrored.
    """

    def __init__(
        self, *, axis: Literal["horizontal", "vertical"] = "horizontal", probability: Fraction = 0.5
    ) -> None:
        self.dimension = 2 if axis == "horizontal" else 1
        self.probability = probability

    def warp(self, size: tuple[int, int], address: Address) -> Mirror:
        """The mirror image of the chosen pictures."""
        return Mirror.of(address.uniform(1)[:, 0] < self.probability, self.dimension, size)
