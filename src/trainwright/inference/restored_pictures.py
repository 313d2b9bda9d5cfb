"""Answers that are pictures themselves: restored ones, in the size of the pictures that went in."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from trainwright.data.geometry import Geometry

MARGIN = 16
"""Pixels at a tile's edge that are left to its neighbour, which sees more around them."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class RestoredPicture:
    """One picture.

    Attributes:
        pixels: uint8 `[H, W, C]`.
    """

    pixels: Pixels

    def png(self) -> bytes:
        """The picture as a file."""
        from PIL import Image

        gray = self.pixels.shape[2] == 1
        file = io.BytesIO()
        Image.fromarray(self.pixels[:, :, 0] if gray else self.pixels).save(file, "png", compress_level=3)
        return file.getvalue()


def shown(processor: Any, answers: Tensor) -> Pixels:
    """Pictures uint8 `[N, H, W, C]` of a model's answers `[N, C, H, W]`, by the processor of the target."""
    pixels: Tensor = processor.pixels_of(answers).round_().clamp_(0, 255)
    found: Pixels = pixels.permute(0, 2, 3, 1).contiguous().numpy().astype(np.uint8)
    return found


def at_own_size(
    pictures: Sequence[Pixels], geometry: Geometry, sizes: Sequence[tuple[int, int] | None] | None
) -> list[RestoredPicture]:
    """Pictures in the sizes of those that went in; of a cropped one the window that the model saw.

    Args:
        pictures: Of the processed size, `[H, W, C]` each.
        geometry: How they got it.
        sizes: Height and width of each original; None where it is not known.
    """
    known = sizes if sizes is not None else [None] * len(pictures)
    return [
        RestoredPicture(picture if size is None else _undone(picture, geometry, size))
        for picture, size in zip(pictures, known, strict=True)
    ]


def _undone(picture: Pixels, geometry: Geometry, size: tuple[int, int]) -> Pixels:
    from PIL import Image

    placement = geometry.place(*size)
    x, y, across, down = placement.part
    left, top, right, bottom = placement.window
    part = picture[y : y + down, x : x + across]
    wanted = max(1, round(right - left)), max(1, round(bottom - top))
    if (across, down) == wanted:
        return part
    gray = part.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(part[:, :, 0] if gray else part))
    resized = np.asarray(image.resize(wanted, Image.Resampling.BICUBIC))
    return resized[:, :, None] if gray else resized


def in_tiles(
    picture: npt.NDArray[Any], size: tuple[int, int], answer: Callable[[npt.NDArray[Any]], Pixels]
) -> RestoredPicture:
    """A picture of any size, restored tile by tile.

    A tile has the size that the model was trained and scored with; neighbours overlap and meet in the middle
    of what they share. A picture that is smaller is mirrored at its edges.

    Args:
        picture: Stored pixels `[H, W, C]`.
        size: Height and width of a tile.
        answer: From tiles `[n, h, w, C]` to restored ones.
    """
    height, width = picture.shape[:2]
    edges = [(0, max(0, tile - side)) for side, tile in zip((height, width), size, strict=True)]
    padded = np.pad(picture, (*edges, (0, 0)), mode="symmetric")
    tall, wide = padded.shape[:2]
    rows, columns = list(_stretches(tall, size[0])), list(_stretches(wide, size[1]))
    places = [(row, column) for row in rows for column in columns]
    tiles = np.stack([padded[r[0] : r[0] + size[0], c[0] : c[0] + size[1]] for r, c in places])
    answered = answer(tiles)
    whole = np.empty((tall, wide, answered.shape[3]), dtype=np.uint8)
    for ((top, first, last), (left, begin, end)), tile in zip(places, answered, strict=True):
        whole[first:last, begin:end] = tile[first - top : last - top, begin - left : end - left]
    return RestoredPicture(np.ascontiguousarray(whole[:height, :width]))


def _stretches(length: int, tile: int) -> Iterator[tuple[int, int, int]]:
    """Where each tile of an axis begins, and from where to where it counts."""
    step = tile - 2 * min(MARGIN, (tile - 1) // 2)
    starts = [*range(0, length - tile, step), length - tile]
    meetings = [(first + tile + second) // 2 for first, second in pairwise(starts)]
    return zip(starts, [0, *meetings], [*meetings, length], strict=True)
