"""Blank out squares (DeVries and Taylor, 2017, arXiv:1708.04552)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor

from trainwright.data.augment.base import Address, Augment
from trainwright.data.augment.cutmix import within
from trainwright.fields import Fraction, PositiveInt


class Cutout(Augment):
    """Fills squares around random pixels of each image with one value; a square may reach out of it.

    Args:
        size: Side of a square in pixels.
        count: Number of squares.
        value: From 0 to 255.
        probability: Share of the images that lose parts.
    """

    def __init__(
        self,
        *,
        size: PositiveInt = 8,
        count: PositiveInt = 1,
        value: Annotated[int, Interval(ge=0, le=255)] = 0,
        probability: Fraction = 1.0,
    ) -> None:
        self.size, self.count, self.value, self.probability = size, count, value, probability

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]` with blank squares."""
        draws = address.uniform(1 + 2 * self.count)
        height, width = images.shape[1:3]
        side = np.where(draws[:, 0] < self.probability, self.size, 0)
        blank = torch.full((), self.value, dtype=images.dtype, device=images.device)
        for place in range(self.count):
            y = np.floor(draws[:, 1 + 2 * place] * height) - self.size // 2
            x = np.floor(draws[:, 2 + 2 * place] * width) - self.size // 2
            windows = np.stack([y, x, y + side, x + side], axis=1).astype(np.int64)
            images = torch.where(within(windows, images)[..., None], blank, images)
        return images
