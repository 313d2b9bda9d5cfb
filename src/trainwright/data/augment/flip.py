"""Mirror images left to right, or upside down."""

from __future__ import annotations

from typing import Literal

import numpy as np
from torch import Tensor

from trainwright.data.augment.base import Address, Augment, to_index
from trainwright.fields import Fraction


class Flip(Augment):
    """Mirrors each image with a probability.

    Args:
        axis: `horizontal` mirrors left to right, `vertical` upside down.
        probability: Share of the images that are mirrored.
    """

    def __init__(
        self, *, axis: Literal["horizontal", "vertical"] = "horizontal", probability: Fraction = 0.5
    ) -> None:
        self.dimension = 2 if axis == "horizontal" else 1
        self.probability = probability

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]` with the chosen ones mirrored."""
        chosen = to_index(np.flatnonzero(address.uniform(1)[:, 0] < self.probability), images.device)
        # Whole rows of memory are copied, where a choice per pixel would take five times as long.
        return images.index_copy(0, chosen, images.index_select(0, chosen).flip(self.dimension))
