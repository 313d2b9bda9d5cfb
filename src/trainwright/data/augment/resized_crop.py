"""Cut a window of random size and shape and resize it (Szegedy et al., 2015, arXiv:1409.4842)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.augment import small_windows
from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.exact import Mirror
from trainwright.data.augment.warp import Warp, identity
from trainwright.fields import Fraction, Positive, PositiveInt


class ResizedCrop(Geometric):
    """Cuts a window with a random share of the area and aspect ratio, and resizes it.

    The window has whole pixels. On the CPU it is resized as Pillow does, bilinear and anti-aliased; on an
    accelerator bilinear only.

    Args:
        size: Height and width of the result; the image column's own when absent.
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
        return self.size or self.wanted.get(size, size)

    def boxes(self, height: int, width: int, address: Address) -> npt.NDArray[np.int64]:
        """Windows as top, left, height, width in whole pixels (int64 `[B, 4]`), inside the image."""
        area, shape, down, right = address.uniform(4).T
        share = self.smallest + (self.largest - self.smallest) * area
        aspect = np.exp((2 * shape - 1) * math.log(self.ratio))
        tall = np.clip(np.rint(np.sqrt(share * height * width / aspect)), 1, height)
        wide = np.clip(np.rint(np.sqrt(share * height * width * aspect)), 1, width)
        top, left = down * (height - tall + 1), right * (width - wide + 1)
        return np.stack([top, left, tall, wide], axis=1).astype(np.int64)

    def warp(self, size: tuple[int, int], address: Address) -> ResizedWindow:
        """A window of each picture, stretched to the wanted size."""
        height, width = self.output_size(size)
        boxes = self.boxes(*size, address)
        top, left, tall, wide = boxes.T
        matrices = identity(len(top))
        matrices[:, 0, 0], matrices[:, 1, 1] = width / wide, height / tall
        matrices[:, 0, 2], matrices[:, 1, 2] = -left * width / wide, -top * height / tall
        return ResizedWindow(matrices, size, (height, width), "edge", boxes)


@dataclass(frozen=True)
class ResizedWindow(Warp):
    """Windows of whole pixels, resized.

    Attributes:
        boxes: Top, left, height, width of each, int64 `[B, 4]`.
        mirror: Mirrors some of the results left to right; None where none is.
    """

    boxes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 4), dtype=np.int64))
    mirror: Mirror | None = None

    def then(self, other: Warp) -> Warp | None:
        """A mirror image costs nothing while small windows are resized."""
        if self.mirror is not None or not isinstance(other, Mirror) or other.dimension != 2:
            return None
        return replace(self, matrices=other.matrices @ self.matrices, mirror=other)

    def pixels(self, images: Tensor) -> Tensor:
        """Resized windows `[B, h, w, C]` of images `[B, H, W, C]`."""
        if images.device.type == "cpu" and small_windows.suits(images, self.size):
            mirrored = self.mirror.chosen if self.mirror is not None else None
            return small_windows.resize(images, self.boxes, self.size, mirrored)
        resize = _one_by_one if images.device.type == "cpu" else _at_once
        resized = resize(images, self.boxes, self.size)
        return resized if self.mirror is None else self.mirror.pixels(resized)


def _one_by_one(images: Tensor, boxes: npt.NDArray[np.int64], size: tuple[int, int]) -> Tensor:
    """Bilinear and anti-aliased, as Pillow resizes, in whole numbers.

    torch has vectorised code for one uint8 image, which takes a thirtieth of the time of sampling a batch
    at floating-point places; the loop costs some 20 microseconds an image.
    """
    source = images.permute(0, 3, 1, 2)
    resized = torch.empty(len(images), *size, images.shape[3], dtype=images.dtype)
    result = resized.permute(0, 3, 1, 2)
    resize = torch._C._nn._upsample_bilinear2d_aa  # what `interpolate` calls, at half of its price
    for place, (top, left, tall, wide) in enumerate(boxes.tolist()):
        window = source[place : place + 1, :, top : top + tall, left : left + wide]
        resize(window, size, False, None, out=result[place : place + 1])
    return resized


def _at_once(images: Tensor, boxes: npt.NDArray[np.int64], size: tuple[int, int]) -> Tensor:
    """Bilinear, without a loop, which an accelerator would spend waiting for the next call."""
    height, width = images.shape[1:3]
    top, left, tall, wide = boxes.T
    # Normalised coordinates of the window's centre and half size, for grid_sample.
    theta = np.zeros((len(images), 2, 3), dtype=np.float32)
    theta[:, 0, 0], theta[:, 1, 1] = wide / width, tall / height
    theta[:, 0, 2] = (2 * left + wide) / width - 1
    theta[:, 1, 2] = (2 * top + tall) / height - 1
    window = torch.from_numpy(theta).to(images.device)
    grid = functional.affine_grid(window, [len(images), images.shape[3], *size], align_corners=False)
    pixels = images.permute(0, 3, 1, 2).float()
    resized = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    return resized.round_().to(images.dtype).permute(0, 2, 3, 1)
