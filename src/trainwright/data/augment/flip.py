"""Mirror images left to right, or upside down."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from trainwright.data.augment.base import Address, Augment
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
        chosen = torch.from_numpy(address.uniform(1)[:, 0] < self.probability).to(images.device)
        return torch.where(chosen[:, None, None, None], images.flip(self.dimension), images)
