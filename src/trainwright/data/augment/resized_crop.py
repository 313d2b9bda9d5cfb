"""Cut a window of random size and shape and resize it (Szegedy et al., 2015, arXiv:1409.4842)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.augment.base import Address, Augment
from trainwright.fields import Fraction, Positive, PositiveInt


class ResizedCrop(Augment):
    """Cuts a window with a random share of the area and aspect ratio, and resizes it.

    Args:
        size: Height and width of the result; the stored image's own when absent.
        smallest: Least share of the image's area.
        largest: Greatest share of the image's area.
        ratio: The aspect ratio lies between `1 / ratio` and `ratio`, evenly in its logarithm.
    """

    def __init__(
        self,
        *,
        size: list[PositiveInt] | None = None,
        smallest: Fraction = 0.35,
        largest: Fraction = 1.0,
        ratio: Positive = 4 / 3,
    ) -> None:
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

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Resized windows `[B, h, w, C]` of images `[B, H, W, C]`."""
        height, width = images.shape[1:3]
        out_height, out_width = self.output_size((height, width))
        top, left, tall, wide = self.boxes(height, width, address).T
        # Normalised coordinates of the window's centre and half size, for grid_sample.
        theta = np.zeros((len(images), 2, 3), dtype=np.float32)
        theta[:, 0, 0], theta[:, 1, 1] = wide / width, tall / height
        theta[:, 0, 2] = (2 * left + wide) / width - 1
        theta[:, 1, 2] = (2 * top + tall) / height - 1
        window = torch.from_numpy(theta).to(images.device)
        shape = [len(images), images.shape[3], out_height, out_width]
        grid = functional.affine_grid(window, shape, align_corners=False)
        pixels = images.permute(0, 3, 1, 2).float()
        resized = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
        return resized.round_().to(images.dtype).permute(0, 2, 3, 1)
