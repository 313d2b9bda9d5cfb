"""Blank out rectangles (Zhong et al., 2020, arXiv:1708.04896)."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor

from trainwright.data.augment.base import Address, Augment
from trainwright.data.augment.cutmix import within
from trainwright.fields import Fraction, Positive


class Erasing(Augment):
    """Fills one rectangle of each image with one value, with a probability; targets stay as they are.

    Args:
        smallest: Least share of the image's area.
        largest: Greatest share of the image's area.
        ratio: The aspect ratio lies between `1 / ratio` and `ratio`, evenly in its logarithm.
        value: From 0 to 255.
        probability: Share of the images that lose a part.
    """

    def __init__(
        self,
        *,
        smallest: Fraction = 0.02,
        largest: Fraction = 0.33,
        ratio: Positive = 3.3,
        value: Annotated[int, Interval(ge=0, le=255)] = 0,
        probability: Fraction = 0.25,
    ) -> None:
        self.smallest, self.largest, self.ratio = smallest, largest, ratio
        self.value, self.probability = value, probability

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]`, some of them with a blank rectangle."""
        chosen, area, shape, down, right = address.uniform(5).T
        height, width = images.shape[1:3]
        share = (self.smallest + (self.largest - self.smallest) * area) * height * width
        aspect = np.exp((2 * shape - 1) * math.log(self.ratio))
        tall = np.minimum(np.rint(np.sqrt(share * aspect)), height)
        wide = np.minimum(np.rint(np.sqrt(share / aspect)), width)
        tall = np.where(chosen < self.probability, tall, 0)
        top, left = np.floor(down * (height - tall + 1)), np.floor(right * (width - wide + 1))
        windows = np.stack([top, left, top + tall, left + wide], axis=1).astype(np.int64)
        blank = torch.full((), self.value, dtype=images.dtype, device=images.device)
        return torch.where(within(windows, images)[..., None], blank, images)
