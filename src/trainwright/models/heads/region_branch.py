"""Convolutions on regions, for what is told of every cell of an object."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from trainwright.models.heads.regions import Atlas
from trainwright.models.heads.tower import tower

BINS = 14
CELLS = 2 * BINS
"""Across and down of what a branch tells."""

# Kernels may add in another order for another number of regions: with one number for all, what is told of an
# object does not depend on how many others were found.
_PORTION = 16


class RegionBranch(nn.Module):
    """3x3 convolutions, one upsampling by two, and an output per cell.

    Args:
        width: Channels of the regions.
        depth: Convolutions.
        outputs: Channels of what is told.
    """

    def __init__(self, width: int, depth: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            tower(width, depth, "group"), nn.ConvTranspose2d(width, width, 2, stride=2), nn.ReLU(inplace=True)
        )
        self.outputs = nn.Conv2d(width, outputs, 1)
        nn.init.normal_(self.outputs.weight, std=0.01)
        assert self.outputs.bias is not None
        nn.init.zeros_(self.outputs.bias)

    def forward(self, regions: Tensor) -> Tensor:
        """Regions `[n, width, BINS, BINS]` to float32 `[n, outputs, CELLS, CELLS]`."""
        told: Tensor = self.outputs(self.layers(regions))
        return told.float()

    def of_found(self, atlas: Atlas, boxes: Tensor, there: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """What is told of found objects, some at a time.

        Args:
            atlas: The maps.
            boxes: `[B, D, 4]` in pixels.
            there: Which of them are any, bool `[B, D]`.

        Yields:
            Places among the B * D of n objects, and what is told of them `[n, outputs, CELLS, CELLS]`.
        """
        places = there.flatten().nonzero()[:, 0]
        for some in places.split(_PORTION) if len(places) else ():
            filled = torch.cat([some, some[:1].expand(_PORTION - len(some))])
            image = filled.div(boxes.shape[1], rounding_mode="floor")
            yield some, self(atlas.cut(boxes.flatten(0, 1)[filled], BINS, image))[: len(some)]
