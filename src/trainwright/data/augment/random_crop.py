"""Cut a window at a random place."""

from __future__ import annotations

from typing import Literal

import numpy as np

from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.exact import Window
from trainwright.errors import RecipeError
from trainwright.fields import Fraction, NonNegativeInt, PositiveInt


class RandomCrop(Geometric):
    """Pads every image, then cuts a window of the wanted size at a random place.

    Args:
        padding: Pixels added on every side.
        fill: Colour of the padding: black, or the image mirrored at its edge.
        size: Height and width of the window; the image's own size when absent.
        min_visible: Objects of which a smaller share of the box is left are gone.
    """

    def __init__(
        self,
        *,
        padding: NonNegativeInt = 4,
        fill: Literal["zero", "reflect"] = "zero",
        size: list[PositiveInt] | None = None,
        min_visible: Fraction = 0.2,
    ) -> None:
        self.min_visible = min_visible
        self.padding, self.fill = padding, fill
        self.size = (size[0], size[-1]) if size else None

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The window's size."""
        return self.size or size

    def warp(self, size: tuple[int, int], address: Address) -> Window:
        """A window at a random place of each padded picture."""
        height, width = self.output_size(size)
        padded = (size[0] + 2 * self.padding, size[1] + 2 * self.padding)
        room = (padded[0] - height + 1, padded[1] - width + 1)
        if min(room) < 1:
            raise RecipeError(
                f"a window of {height}x{width} does not fit into the padded image of {padded[0]}x{padded[1]}",
                where="data.augment",
                why="random_crop cuts its window out of the image",
                fix="give it a smaller size or more padding",
            )
        draws = address.uniform(2)
<<<<<<< HEAD
        top, left = (draws * room).astype(np.int64).T
        return Window.of(top, left, size, (height, width), self.padding, reflect=self.fill == "reflect")
=======
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
>>>>>>> main
