"""Regions of an image cut out of the maps of a pyramid (ROIAlign)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainwright.models.heads.base import Features

_CELLS = 14  # a region is read from the coarsest level on which it is at least that wide
_SAMPLES = 2  # points per bin and axis


class Atlas:
    """All levels on one sheet, so that every region is cut by one call whatever level it is read from.

    The finest level stands on the left, the others below each other on the right. Each has a margin of one
    cell that repeats its border: what is read at the border then is what the level alone would give.

    Args:
        features: Maps `[B, C, h_i, w_i]` of one width.
        strides: Pixels per cell of each level, doubling.
    """

    def __init__(self, features: Features, strides: tuple[int, ...]) -> None:
        framed = [_framed(map.float()) for map in features]
        left, right = framed[0], framed[1:]
        device = left.device
        self.strides = torch.tensor(strides, dtype=torch.float32, device=device)
        rows = [1.0]
        for map in right[:-1]:
            rows.append(rows[-1] + map.shape[2])
        starts = [(1.0, 1.0), *((1.0 + left.shape[3], row) for row in rows[: len(right)])]
        self.starts = torch.tensor(starts, device=device)
        self.sheet = left
        if right:
            wide, high = max(map.shape[3] for map in right), sum(map.shape[2] for map in right)
            column = torch.cat([_grown(map, map.shape[2], wide) for map in right], 2)
            height = max(high, left.shape[2])
            self.sheet = torch.cat(
                [_grown(left, height, left.shape[3]), _grown(column, height, wide)], 3
            ).contiguous()

    def level(self, boxes: Tensor) -> Tensor:
        """The level that each box `[..., 4]` is read from, int64 `[...]` (arXiv:1612.03144, eq. 1)."""
        sides = (boxes[..., 2:] - boxes[..., :2]).clamp_min(0)
        side = sides.prod(-1).sqrt().clamp_min(1e-6)
        # A hair more, so that a side on the edge falls to the same level with and without rounding.
        place = ((side / self.strides[0]).log2() - math.log2(_CELLS) + 1e-6).floor()
        return place.clamp(0, len(self.strides) - 1).long()

    def cut(self, boxes: Tensor, size: int, image: Tensor | None = None) -> Tensor:
        """The regions in bins, each the mean of four points (He et al., ICCV 2017, arXiv:1703.06870).

        Args:
            boxes: In pixels, within the image: `[B, S, 4]`, or `[n, 4]` of the images that `image` names.
            size: Bins across and down.
            image: Place of each box's image in the batch, int64 `[n]`.

        Returns:
            float32 `[B * S or n, C, size, size]`.
        """
        # torchvision takes seconds to import.
        from torchvision.ops import roi_align

        if image is None:
            image = torch.arange(len(boxes), device=boxes.device).repeat_interleave(boxes.shape[1])
            boxes = boxes.flatten(0, 1)
        level = self.level(boxes)
        places = boxes / self.strides[level][..., None] + self.starts[level].repeat(1, 2)
        rows = torch.cat([image[:, None].to(places.dtype), places], 1)
        regions: Tensor = roi_align(self.sheet, rows, size, 1.0, _SAMPLES, True)
        return regions


def _framed(map: Tensor) -> Tensor:
    """A map with its border repeated.

    Not by `F.pad`, whose gradient depends on the order of threads on a GPU.
    """
    map = torch.cat([map[:, :, :1], map, map[:, :, -1:]], 2)
    return torch.cat([map[..., :1], map, map[..., -1:]], 3)


def _grown(map: Tensor, height: int, width: int) -> Tensor:
    """A map with zeros below and to the right."""
    down, across = height - map.shape[2], width - map.shape[3]
    return torch.nn.functional.pad(map, (0, across, 0, down)) if down or across else map
