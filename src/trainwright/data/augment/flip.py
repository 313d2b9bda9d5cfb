"""Mirror images left to right, or upside down."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
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
        chosen = address.uniform(1)[:, 0] < self.probability
        # Whole images are copied out of both kinds, where a choice per pixel would take three times as long.
        both = torch.cat([images, images.flip(self.dimension)])
        return both.index_select(0, to_index(np.arange(len(images)) + len(images) * chosen, images.device))
