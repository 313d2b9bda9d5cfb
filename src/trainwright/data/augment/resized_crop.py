"""Cut a window of random size and shape and resize it (Szegedy et al., 2015, arXiv:1409.4842)."""

from __future__ import annotations

import math

import numpy as np

from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.warp import Warp, identity
from trainwright.fields import Fraction, Positive, PositiveInt


class ResizedCrop(Geometric):
    """Cuts a window with a random share of the area and aspect ratio, and resizes it.

    Args:
        size: Height and width of the result; the stored image's own when absent.
        smallest: Least share of the image's area.
        largest: Greatest share of the image's area.
        ratio: The aspect ratio lies between `1 / ratio` and `ratio`, evenly in its logarithm.
        min_visible: Objects of which a smaller share of the box is left are gone.
    """

    def __init__(
        self,
        *,
        size: list[PositiveInt] | None = None,
        smallest: Fraction = 0.35,
        largest: Fraction = 1.0,
        ratio: Positive = 4 / 3,
        min_visible: Fraction = 0.2,
    ) -> None:
        self.min_visible = min_visible
        self.size = (size[0], size[-1]) if size else None
        self.smallest, self.largest, self.ratio = smallest, largest, ratio

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The wanted size."""
        return self.size or size

    def boxes(self, height: int, width: int, address: Address) -> np.ndarray:
        """Windows as top, left, height, width in pixels (float64 `[B, 4]`), inside the image."""
        area, shape, down, right = address.uniform(4).T
        share = self.smallest + (self.largest - self.smallest) * area
        aspect = np.exp((2 * shape - 1) * math.log(self.ratio))
        tall = np.minimum(np.sqrt(share * height * width / aspect), height)
        wide = np.minimum(np.sqrt(share * height * width * aspect), width)
        return np.stack([down * (height - tall), right * (width - wide), tall, wide], axis=1)

    def warp(self, size: tuple[int, int], address: Address) -> Warp:
        """A window of each picture, stretched to the wanted size."""
        height, width = self.output_size(size)
        top, left, tall, wide = self.boxes(*size, address).T
        matrices = identity(len(top))
        matrices[:, 0, 0], matrices[:, 1, 1] = width / wide, height / tall
        matrices[:, 0, 2], matrices[:, 1, 2] = -left * width / wide, -top * height / tall
        return Warp(matrices, size, (height, width), "edge")
