"""Where the cells of a pyramid's maps lie in the image, and boxes told from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_FAR = 1e6  # pixels; a box that reaches farther is cut there, so that no area is infinite


@dataclass(frozen=True)
class Grid:
    """The cells of all levels, row by row, the finest level first: L in all.

    Attributes:
        shapes: Height and width of each level in cells.
        strides: Pixels of the image per cell of each level.
        device: Where its tensors are made.
    """

    shapes: tuple[tuple[int, int], ...]
    strides: tuple[int, ...]
    device: torch.device | None = None

    @property
    def starts(self) -> list[int]:
        """Number of the first cell of each level."""
        sizes = [height * width for height, width in self.shapes]
        return [sum(sizes[:level]) for level in range(len(sizes))]

    @property
    def size(self) -> int:
        """L, the number of cells."""
        return sum(height * width for height, width in self.shapes)

    def axes(self, level: int) -> tuple[Tensor, Tensor]:
        """x of the middle of each column of a level and y of each row in pixels, float32 `[w]`, `[h]`."""
        height, width = self.shapes[level]
        x, y = (torch.arange(count, device=self.device) + 0.5 for count in (width, height))
        return x * self.strides[level], y * self.strides[level]

    def centres(self) -> Tensor:
        """x and y of the middle of each cell in pixels, float32 `[L, 2]`."""
        levels = [torch.meshgrid(*self.axes(level), indexing="xy") for level in range(len(self.shapes))]
        return torch.cat([torch.stack(level, -1).reshape(-1, 2) for level in levels])

    def steps(self) -> Tensor:
        """Pixels per cell, float32 `[L]`."""
        sizes = [height * width for height, width in self.shapes]
        return torch.cat(
            [
                torch.full((count,), float(stride), device=self.device)
                for count, stride in zip(sizes, self.strides, strict=True)
            ]
        )


def grid_of(features: Sequence[Tensor], strides: Sequence[int]) -> Grid:
    """The grid of maps `[B, C, h, w]`."""
    shapes = tuple((int(map.shape[2]), int(map.shape[3])) for map in features)
    return Grid(shapes, tuple(strides), features[0].device)


def boxes_around(points: Tensor, distances: Tensor) -> Tensor:
    """Boxes `[..., 4]` from points `[..., 2]` and the distances to the four sides `[..., 4]`."""
    return torch.cat([points - distances[..., :2], points + distances[..., 2:]], -1)


def distances_to(boxes: Tensor, points: Tensor) -> Tensor:
    """Distances `[..., 4]` from points to the left, top, right and bottom side; negative outside."""
    return torch.cat([points - boxes[..., :2], boxes[..., 2:] - points], -1)


def finite(boxes: Tensor) -> Tensor:
    """Boxes in float32 without NaN and infinity."""
    return torch.nan_to_num(boxes.float(), nan=0.0).clamp(-_FAR, _FAR)


def within(boxes: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Boxes `[..., 4]` cut at the borders of an image of that height and width."""
    height, width = image_size
    return torch.minimum(boxes.clamp_min(0), boxes.new_tensor([width, height, width, height]))
