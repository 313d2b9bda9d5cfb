"""Boxes of given shapes around the middle of every cell, from which found boxes are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainwright.models.heads.grid import Grid

# A side is told as the logarithm of its share of the anchor's; e^4.135 is 1000 / 16, as in RetinaNet.
_LARGEST_CODE = 4.135
_SHORTEST = 1e-3  # pixels; a box without width has a logarithm


@dataclass(frozen=True)
class Anchors:
    """Anchors: level by level, shape by shape, row by row, N in all.

    Attributes:
        grid: The cells.
        shapes: Width and height in pixels of each level's anchors, float32 `[A, 2]` for each level.
    """

    grid: Grid
    shapes: tuple[Tensor, ...]

    @property
    def starts(self) -> list[int]:
        """Number of the first anchor of each level, and N behind them."""
        found = [0]
        for (height, width), shapes in zip(self.grid.shapes, self.shapes, strict=True):
            found.append(found[-1] + height * width * len(shapes))
        return found

    def boxes(self) -> Tensor:
        """All anchors in pixels, float32 `[N, 4]`; those at the border reach beyond it."""
        levels = []
        for level, shapes in enumerate(self.shapes):
            x, y = self.grid.axes(level)
            centres = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
            half = shapes[:, None] / 2
            levels.append(torch.cat([centres - half, centres + half], -1).flatten(0, 1))
        return torch.cat(levels)


def shapes_of(sides: Sequence[float], ratios: Sequence[float]) -> Tensor:
    """Every square's area in every ratio.

    Args:
        sides: Of squares, in pixels.
        ratios: Height / width.

    Returns:
        Width and height `[len(ratios) * len(sides), 2]`, all sides of the first ratio first.
    """
    # On the CPU also where a model is built without memory: the numbers are read.
    side = torch.tensor(sides, dtype=torch.float32, device="cpu")
    root = torch.tensor(ratios, dtype=torch.float32, device="cpu").sqrt()[:, None]
    return torch.stack([side / root, side * root], -1).flatten(0, 1)


def encoded(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Boxes as seen from anchors (Girshick et al., CVPR 2014, arXiv:1311.2524).

    Args:
        boxes: `[..., 4]`.
        anchors: `[..., 4]`, of positive sides.

    Returns:
        `[..., 4]`: shift of the centre in widths and heights of the anchor, logarithms of the sides' ratios.
    """
    sides = anchors[..., 2:] - anchors[..., :2]
    wanted = (boxes[..., 2:] - boxes[..., :2]).clamp_min(_SHORTEST)
    shift = (boxes[..., :2] + boxes[..., 2:] - anchors[..., :2] - anchors[..., 2:]) / 2
    return torch.cat([shift / sides, (wanted / sides).log()], -1)


def decoded(codes: Tensor, anchors: Tensor) -> Tensor:
    """Boxes `[..., 4]` of their codes `[..., 4]`; no side is more than 62 times its anchor's."""
    sides = anchors[..., 2:] - anchors[..., :2]
    centres = (anchors[..., :2] + anchors[..., 2:]) / 2 + codes[..., :2] * sides
    half = codes[..., 2:].clamp_max(_LARGEST_CODE).exp() * sides / 2
    return torch.cat([centres - half, centres + half], -1)
