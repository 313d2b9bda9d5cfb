"""Windows of small pictures resized all at once, by matrix products that are exact in float32.

Pillow and torch resize 8-bit pixels with whole-number weights: first along the rows, rounded to 8 bits, then
along the columns. With weights of at most 16 bits every sum of weighted pixels fits into the 24 bits of a
float32, so it is the same in any order of summation: for any batch, number of threads and processor, and the
same as torch's own for one picture at a time.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LARGEST = 40  # pixels of a side up to which a product with mostly zeros costs less than a call per picture
_LEAST_SHARE = 2  # times that a side may shrink; beyond it weights are small, and kept with more bits
_WEIGHT_BITS = 15  # of the largest weight of a length, as torch keeps them in signed 16 bits
_MOST_BITS = 22


def suits(images: Tensor, size: tuple[int, int]) -> bool:
    """Whether `resize` takes images `[B, H, W, C]` to a size `(h, w)`, and faster than one by one."""
    sides = (*images.shape[1:3], *size)
    shrinks = any(old > _LEAST_SHARE * new for old, new in zip(images.shape[1:3], size, strict=True))
    return images.dtype == torch.uint8 and max(sides) <= LARGEST and not shrinks


def resize(
    images: Tensor,
    boxes: npt.NDArray[np.int64],
    size: tuple[int, int],
    mirrored: npt.NDArray[np.int64] | None = None,
) -> Tensor:
    """Windows of images, bilinear and anti-aliased, to the bit as torch resizes each by itself.

    Args:
        images: uint8 `[B, H, W, C]` that `suits` takes.
        boxes: Top, left, height, width of each window in whole pixels, `[B, 4]`.
        size: Height and width of the result.
        mirrored: Places in the batch of those that are mirrored left to right.

    Returns:
        uint8 `[B, h, w, C]`.
    """
    count, height, width, channels = images.shape
    top, left, tall, wide = boxes.T
    across = _weights(width, size[1], left, wide, mirrored)
    down = _weights(height, size[0], top, tall, None).transpose(1, 2)
    # One channel after the other: products of contiguous matrices, and what lies between stays in the cache.
    planes = images.permute(3, 0, 1, 2).contiguous().to(torch.float32)
    resized = torch.empty(count, *size, channels, dtype=torch.uint8)
    for channel, plane in enumerate(planes):
        narrowed = torch.bmm(plane, across).add_(0.5).floor_()
        resized[..., channel] = torch.bmm(down, narrowed).add_(0.5)
    return resized


def _weights(
    source: int,
    size: int,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    mirrored: npt.NDArray[np.int64] | None,
) -> Tensor:
    """What each pixel of an axis gives to each of the result, float32 `[B, source, size]`."""
    table = _table(source, size)
    # Weights of a window that starts at pixel s begin s rows further up in the rows of its length.
    row = lengths * (2 * source) + source - starts
    if mirrored is not None:
        row[mirrored] += (source + 1) * (2 * source)
    return table.index_select(0, torch.from_numpy(row)).view(-1, source, size)


@lru_cache(maxsize=16)
def _table(source: int, size: int) -> Tensor:
    """Weights of every length and place of a window: overlapping views, `[n, source * size]`.

    For each length from 0 to `source` there are `2 * source` rows of `size` weights. Those of a window at
    place 0 are the lower half, with zeros above and below. Behind all of them are the mirrored ones.
    """
    rows = np.zeros((source + 1, 2 * source, size), dtype=np.float32)
    for length in range(1, source + 1):
        rows[length, source : source + length] = triangle_weights(length, size)
    table = torch.from_numpy(np.concatenate([rows, rows[:, :, ::-1]]))
    count = 2 * (source + 1) * (2 * source)
    return table.as_strided((count - source + 1, source * size), (size, 1))


def triangle_weights(length: int, size: int) -> npt.NDArray[np.float64]:
    """Weights of the anti-aliased bilinear filter in whole steps of a power of two, `[length, size]`.

    As torch settles them for 8-bit pixels (`aten/src/ATen/native/cpu/UpSampleKernel.cpp`).

    Args:
        length: Pixels that there are.
        size: Pixels of the result.
    """
    scale = length / size
    reach = max(scale, 1.0)
    centre = scale * (np.arange(size) + 0.5)
    first = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + reach + 0.5).astype(np.int64), length)
    places = np.arange(length)[:, None]
    weights = np.maximum(0.0, 1 - np.abs((places - centre + 0.5) * (1 / reach)))
    weights *= (places >= first) & (places < last)
    weights /= weights.sum(axis=0)
    bits = _precision(float(weights.max()))
    return np.floor(weights * 2**bits + 0.5) / 2**bits


def _precision(largest: float) -> int:
    """Bits behind the point, as many as leave the largest weight below 2**15."""
    for bits in range(_MOST_BITS):
        if int(0.5 + largest * 2 ** (bits + 1)) >= 1 << _WEIGHT_BITS:
            return bits
    return _MOST_BITS
