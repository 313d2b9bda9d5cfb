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
        size: Height and width of the window; the image column's own when absent.
        min_visible: Objects of which a smaller share of the box is left are gone.
    """

    counts_pixels = True

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
        return self.size or self.wanted.get(size, size)

    def warp(self, size: tuple[int, int], address: Address) -> Window:
        """A window at a random place of each padded picture."""
        height, width = self.output_size(size)
        if self.padding >= min(size):
            raise RecipeError(
                f"a padding of {self.padding} does not fit an image of {size[0]}x{size[1]}",
                where="data.augment",
                why="most windows of random_crop would hold nothing of the image",
                fix=f"give it a padding below {min(size)}",
            )
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
        top, left = (draws * room).astype(np.int64).T
        return Window.of(top, left, size, (height, width), self.padding, reflect=self.fill == "reflect")
