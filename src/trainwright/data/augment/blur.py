"""Blur with a Gaussian."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.augment.base import Address, Augment, like_stored, to_floats
from trainwright.fields import Fraction, Positive


class Blur(Augment):
    """Blurs each image with a Gaussian whose standard deviation lies evenly in a range.

    Args:
        least: Least standard deviation in pixels.
        most: Greatest standard deviation in pixels.
        probability: Share of the images that are blurred.
    """

    def __init__(self, *, least: Positive = 0.1, most: Positive = 2.0, probability: Fraction = 0.5) -> None:
        self.least, self.most, self.probability = least, max(least, most), probability

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]`, some of them blurred; the border pixel is drawn out."""
        chosen, drawn = address.uniform(2).T
        sigma = self.least + (self.most - self.least) * drawn
        reach = math.ceil(3 * self.most)
        places = np.arange(-reach, reach + 1)
        weights = np.exp(-0.5 * (places / sigma[:, None]) ** 2)
        weights /= weights.sum(axis=1, keepdims=True)
        weights[chosen >= self.probability] = places == 0
        kernel = to_floats(weights, images.device)
        blurred = _along(_along(images.permute(0, 3, 1, 2).float(), kernel, 3), kernel, 2)
        return like_stored(blurred, images.dtype).permute(0, 2, 3, 1)


def _along(images: Tensor, kernel: Tensor, axis: int) -> Tensor:
    """Weighted sums along an axis with a kernel `[B, k]` of each image's own, added in a fixed order."""
    reach = kernel.shape[1] // 2
    edges = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
    padded = functional.pad(images, edges, mode="replicate")
    total = torch.zeros_like(images)
    for place in range(kernel.shape[1]):
        weight = kernel[:, place, None, None, None]
        total = total + weight * padded.narrow(axis, place, images.shape[axis])
    return total
