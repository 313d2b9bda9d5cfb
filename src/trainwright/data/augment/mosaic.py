"""Four samples in one picture (Bochkovskiy et al., 2020, arXiv:2004.10934)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Address, Geometric, Mixing, to_floats
from trainwright.data.augment.cutmix import within
from trainwright.data.augment.scene import Scene, joined
from trainwright.data.augment.warp import Warp, identity
from trainwright.fields import Fraction, OpenFraction


class Mosaic(Mixing):
    """Divides each picture into four parts around a random point, each filled by another sample.

    The sample itself is above and left. Each part shows its picture stretched to it, so that nothing is
    cut off. Boxes, masks and points are moved along; shares of classes and numbers are weighed by areas.

    Args:
        probability: Share of the samples that become a mosaic.
        margin: Least distance of the point from the edges, as a share of the side.
    """

    partners = 3

    def __init__(self, *, probability: Fraction = 0.5, margin: OpenFraction = 0.25) -> None:
        self.probability, self.margin = probability, min(margin, 0.5)

    def points(self, size: tuple[int, int], address: Address) -> tuple[np.ndarray, np.ndarray]:
        """Where the four parts meet: row and column, int64 `[B]`; the far corner where nothing is mixed."""
        chosen, down, right = address.uniform(3).T
        span = 1 - 2 * self.margin
        row = np.rint((self.margin + span * down) * size[0]).clip(1, size[0] - 1)
        column = np.rint((self.margin + span * right) * size[1]).clip(1, size[1] - 1)
        whole = chosen >= self.probability
        return np.where(whole, size[0], row).astype(int), np.where(whole, size[1], column).astype(int)

    def mix(self, scene: Scene, others: list[Scene], address: Address) -> Scene:
        """Mosaics of the samples and those of three other scenes."""
        parts = [_Part(self, place) for place in range(4)]
        moved = [part.moved(item, address) for part, item in zip(parts, [scene, *others], strict=True)]
        result = moved[0]
        for part, item in zip(parts[1:], moved[1:], strict=True):
            result = self._with(result, part, item, address)
        first = next(iter(scene.images.values()))
        size = (first.shape[1], first.shape[2])
        shares = [part.shares(size, address) for part in parts]
        labels = {
            name: _weighed([item.labels[name] for item in [scene, *others]], shares) for name in scene.labels
        }
        return replace(result, labels=labels)

    def _with(self, scene: Scene, part: _Part, item: Scene, address: Address) -> Scene:
        def paste(mine: Tensor, theirs: Tensor) -> Tensor:
            inside = within(part.windows((mine.shape[1], mine.shape[2]), address), mine)
            return torch.where(inside.view(*inside.shape, *(1,) * (mine.dim() - 3)), theirs, mine)

        groups = {
            name: {key: paste(t, getattr(item, name)[key]) for key, t in getattr(scene, name).items()}
            for name in ("images", "pictures", "masks")
        }
        objects = {name: joined(mine, item.objects[name]) for name, mine in scene.objects.items()}
        return replace(scene, objects=objects, **groups)


@dataclass
class _Part(Geometric):
    """One of the four parts: the whole picture, stretched to it."""

    mosaic: Mosaic
    place: int
    min_visible: float = 0.0

    def moved(self, scene: Scene, address: Address) -> Scene:
        return scene.moved(self, address)

    def windows(self, size: tuple[int, int], address: Address) -> np.ndarray:
        """Top, left, bottom, right of the part, int64 `[B, 4]`."""
        row, column = self.mosaic.points(size, address)
        below, beside = self.place in (2, 3), self.place in (1, 3)
        zero, height, width = np.zeros_like(row), np.full_like(row, size[0]), np.full_like(row, size[1])
        vertical = (row, height) if below else (zero, row)
        horizontal = (column, width) if beside else (zero, column)
        return np.stack([vertical[0], horizontal[0], vertical[1], horizontal[1]], axis=1)

    def shares(self, size: tuple[int, int], address: Address) -> np.ndarray:
        top, left, bottom, right = self.windows(size, address).T
        return (bottom - top) * (right - left) / (size[0] * size[1])

    def warp(self, size: tuple[int, int], address: Address) -> Warp:
        top, left, bottom, right = self.windows(size, address).T.astype(float)
        matrices = identity(len(top))
        # A part without pixels shows nothing: its picture is shrunk to less than a pixel.
        matrices[:, 0, 0] = np.maximum((right - left) / size[1], 1e-6)
        matrices[:, 1, 1] = np.maximum((bottom - top) / size[0], 1e-6)
        matrices[:, 0, 2], matrices[:, 1, 2] = left, top
        return Warp(matrices, size, size, "zero")


def _weighed(values: list[Tensor], shares: list[np.ndarray]) -> Tensor:
    total = torch.zeros_like(values[0])
    for value, share in zip(values, shares, strict=True):
        total = total + value * to_floats(share, value.device).view(-1, *(1,) * (value.dim() - 1))
    return total
