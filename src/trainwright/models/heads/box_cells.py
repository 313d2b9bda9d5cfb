"""From a list of boxes to the cells of a grid that answer for them, and back.

A box belongs to the level whose range holds the distance from the cell to its farthest side, and there to
the cells near its centre whose middle lies within it (Tian et al., ICCV 2019 and arXiv:2006.09214). Where
boxes meet in a cell the smallest one owns it.

The cells near a box are few and known beforehand, so that nothing of the size of cells times boxes is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainwright.models.heads.grid import Grid, boxes_around, distances_to, finite


@dataclass(frozen=True)
class BoxCells:
    """Which cells answer for M boxes of each of B images. Every box has N places for cells.

    Attributes:
        cell: Cells that come into question, int64 `[B, M, N]` in 0..L-1.
        owned: Whether the box owns that cell, bool `[B, M, N]`; no cell is owned twice.
        points: The middle of each cell `[B, M, N, 2]`.
        boxes: The boxes, float32 `[B, M, 4]`, finite.
        labels: Their classes, -1 where there is no box, int64 `[B, M]`.
        owner: The box that owns each cell, -1 for none, int64 `[B, L]`.
    """

    cell: Tensor
    owned: Tensor
    points: Tensor
    boxes: Tensor
    labels: Tensor
    owner: Tensor

    @property
    def unowned(self) -> Tensor:
        """Boxes that own no cell, too small or covered by smaller ones, bool `[B, M]`."""
        return (self.labels >= 0) & ~self.owned.any(2)

    def distances(self, grid: Grid) -> Tensor:
        """Pixels from each cell's middle to the sides of the box that owns it `[B, L, 4]`, 0 without one."""
        if not self.boxes.shape[1]:
            return self.boxes.new_zeros((*self.owner.shape, 4))
        places = self.owner.clamp_min(0)[..., None].expand(-1, -1, 4)
        found = distances_to(self.boxes.gather(1, places), grid.centres())
        return torch.where((self.owner >= 0)[..., None], found, 0.0)


def box_cells(boxes: Tensor, labels: Tensor, grid: Grid, *, radius: float, reach: float) -> BoxCells:
    """Finds the cells of every box.

    Args:
        boxes: `[B, M, 4]` in pixels.
        labels: `[B, M]`, -1 where there is no box.
        grid: The cells.
        radius: How far from a box's centre its cells are, in cells, along each axis.
        reach: The farthest side of a box, in cells, that a level answers for, down to half of it. The finest
            level answers for all smaller boxes, the coarsest for all larger ones.
    """
    boxes = finite(boxes)
    there = labels >= 0
    stride, shape, start, low, high = _levels(grid, reach)
    steps = torch.arange(math.ceil(2 * radius), device=boxes.device)
    window = torch.cartesian_prod(steps, steps).reshape(-1, 2).to(stride)
    centre = (boxes[..., None, :2] + boxes[..., None, 2:]) / (2 * stride[:, None])
    first = (centre - radius - 0.5).floor() + 1
    cells = first[..., None, :] + window  # [B, M, levels, window, 2]
    points = (cells + 0.5) * stride[:, None, None]
    far = distances_to(boxes[:, :, None, None], points)
    near = ((cells + 0.5 - centre[..., None, :]).abs() < radius).all(-1)
    inside = ((cells >= 0) & (cells < shape[:, None])).all(-1)
    longest = far.amax(-1)
    fits = (longest > low[:, None]) & (longest <= high[:, None])
    possible = there[..., None, None] & near & inside & fits & (far.amin(-1) > 0)
    number = start[:, None] + cells[..., 1] * shape[:, :1] + cells[..., 0]
    number = torch.where(possible, number, 0.0).long().flatten(2)
    possible = possible.flatten(2)
    rank = _ranks(boxes, there)
    owner_rank, owned = _settle(number, possible, rank, grid.size)
    count = boxes.shape[1]
    order = torch.cat([rank.argsort(1), rank.new_full((len(rank), 1), -1)], 1)
    owner = order.gather(1, owner_rank.clamp_max(count))
    return BoxCells(number, owned, points.flatten(2, 3), boxes, labels, owner)


def decode(owner: Tensor, distances: Tensor, grid: Grid, count: int) -> tuple[Tensor, Tensor]:
    """The boxes again, each as its first cell tells it.

    Args:
        owner: `[B, L]` of `BoxCells`.
        distances: `[B, L, 4]`.
        grid: The cells.
        count: M.

    Returns:
        Boxes `[B, M, 4]` and whether each was found, bool `[B, M]`; those that were not are 0.
    """
    told = boxes_around(grid.centres(), distances)
    numbers = torch.arange(grid.size, device=owner.device).expand_as(owner)
    first = owner.new_full((len(owner), count + 1), grid.size)
    first.scatter_reduce_(1, torch.where(owner >= 0, owner, count), numbers, "amin")
    first = first[:, :count]
    found = first < grid.size
    places = first.clamp_max(grid.size - 1)[..., None].expand(-1, -1, 4)
    return torch.where(found[..., None], told.gather(1, places), 0.0), found


def _levels(grid: Grid, reach: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Stride, width and height, first cell, and the range of the farthest side, of each level."""
    stride = torch.tensor(grid.strides, dtype=torch.float32, device=grid.device)
    shape = torch.tensor([(w, h) for h, w in grid.shapes], dtype=torch.float32, device=grid.device)
    start = torch.tensor(grid.starts, dtype=torch.float32, device=grid.device)
    high = stride * reach
    low = torch.cat([high.new_zeros(1), high[:-1]])
    high = torch.cat([high[:-1], high.new_full((1,), math.inf)])
    return stride, shape, start, low, high


def _ranks(boxes: Tensor, there: Tensor) -> Tensor:
    """Place of each box among its image's by area, the smallest first, int64 `[B, M]`."""
    sides = boxes[..., 2:] - boxes[..., :2]
    area = torch.where(there, sides[..., 0] * sides[..., 1], math.inf)
    return area.argsort(dim=1, stable=True).argsort(dim=1)


def _settle(number: Tensor, possible: Tensor, rank: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The lowest rank among those that may own each cell `[B, size]`, and who owns what `[B, M, N]`."""
    batch, count, places = number.shape
    wanted = torch.where(possible, rank[..., None], count)
    flat = number.flatten(1)
    owner_rank = rank.new_full((batch, size), count)
    owner_rank.scatter_reduce_(1, flat, wanted.flatten(1), "amin")
    won = owner_rank.gather(1, flat).view(batch, count, places) == rank[..., None]
    return owner_rank, possible & won
