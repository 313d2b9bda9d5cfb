"""Cut a window at a random place."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.augment.base import Address, Augment, to_index
from trainwright.errors import RecipeError
from trainwright.fields import NonNegativeInt, PositiveInt


class RandomCrop(Augment):
    """Pads every image, then cuts a window of the wanted size at a random place.

    Args:
        padding: Pixels added on every side.
        fill: Colour of the padding: black, or the image mirrored at its edge.
        size: Height and width of the window; the image's own size when absent.
    """

    def __init__(
        self,
        *,
        padding: NonNegativeInt = 4,
        fill: Literal["zero", "reflect"] = "zero",
        size: list[PositiveInt] | None = None,
    ) -> None:
        self.padding, self.fill = padding, fill
        self.size = (size[0], size[-1]) if size else None

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The window's size."""
        return self.size or size

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Windows `[B, h, w, C]` of images `[B, H, W, C]`."""
        height, width = self.output_size((images.shape[1], images.shape[2]))
        padded = self._pad(images)
        room = (padded.shape[1] - height + 1, padded.shape[2] - width + 1)
        if min(room) < 1:
            raise RecipeError(
                f"a window of {height}x{width} does not fit into the padded image of "
                f"{padded.shape[1]}x{padded.shape[2]}",
                where="data.augment",
                why="random_crop cuts its window out of the image",
                fix="give it a smaller size or more padding",
            )
        draws = address.uniform(2)
        top = to_index(draws[:, 0] * room[0], images.device)
        left = to_index(draws[:, 1] * room[1], images.device)
        rows = top[:, None] + torch.arange(height, device=images.device)
        columns = left[:, None] + torch.arange(width, device=images.device)
        return _take_windows(padded, rows, columns)

    def _pad(self, images: Tensor) -> Tensor:
        if self.padding == 0:
            return images
        edge = self.padding
        if edge >= min(images.shape[1:3]):
            raise RecipeError(
                f"a padding of {edge} does not fit an image of {images.shape[1]}x{images.shape[2]}",
                where="data.augment",
                why="most windows of random_crop would hold nothing of the image",
                fix=f"give it a padding below {min(images.shape[1:3])}",
            )
        if self.fill == "zero":
            return functional.pad(images, (0, 0, edge, edge, edge, edge))
        index = [_mirror(images.shape[axis], edge, images.device) for axis in (1, 2)]
        return images.index_select(1, index[0]).index_select(2, index[1])


def _mirror(length: int, edge: int, device: torch.device) -> Tensor:
    """Positions that mirror an axis at its ends without repeating the border pixel."""
    place = torch.arange(-edge, length + edge, device=device)
    period = max(2 * (length - 1), 1)
    place = place.remainder(period)
    return torch.minimum(place, period - place)


def _take_windows(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """`images[b, rows[b, i], columns[b, j]]` for all b, i, j as `[B, h, w, C]`."""
    count, height, width, channels = images.shape
    # One flat gather of whole pixels is several times faster than indexing four axes.
    base = torch.arange(count, device=images.device)[:, None, None] * (height * width)
    flat = (base + rows[:, :, None] * width + columns[:, None, :]).reshape(-1)
    picked = images.reshape(-1, channels).index_select(0, flat)
    return picked.view(count, rows.shape[1], columns.shape[1], channels)
