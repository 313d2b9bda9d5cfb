"""Take the colour out of some images."""

from __future__ import annotations

import torch
from torch import Tensor

from trainwright.data.augment import colour
from trainwright.data.augment.base import Address, Augment, like_stored
from trainwright.fields import Fraction


class Grayscale(Augment):
    """Gives all channels of an image its luma (BT.601), with a probability.

    Args:
        probability: Share of the images without colour.
    """

    def __init__(self, *, probability: Fraction = 0.1) -> None:
        self.probability = probability

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]`, some of them gray."""
        chosen = torch.from_numpy(address.uniform(1)[:, 0] < self.probability).to(images.device)
        gray = like_stored(colour.luma(images.float()), images.dtype)
        return torch.where(chosen[:, None, None, None], gray, images)
