"""Put a window of another sample into each one (Yun et al., 2019, arXiv:1905.04899)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Address, Mixing, to_floats
from trainwright.data.augment.beta import SymmetricBeta
from trainwright.data.augment.scene import Scene
from trainwright.fields import Fraction, Positive


class Cutmix(Mixing):
    """Replaces a window of each picture by the same window of another sample's.

    Masks and image targets get the other's window too. Shares of classes and numbers are weighed by the
    areas, to the pixel.

    Args:
        alpha: The window's share of the area is 1 minus a number of Beta(alpha, alpha).
        probability: Share of the samples that are mixed.
    """

    takes_objects = False

    def __init__(self, *, alpha: Positive = 1.0, probability: Fraction = 1.0) -> None:
        self.beta, self.probability = SymmetricBeta(alpha), probability

    def windows(self, size: tuple[int, int], address: Address) -> np.ndarray:
        """Windows as top, left, bottom, right in whole pixels, int64 `[B, 4]`; empty where unmixed."""
        chosen, drawn, down, right = address.uniform(4).T
        height, width = size
        side = np.where(chosen < self.probability, np.sqrt(1 - self.beta(drawn)), 0.0)
        tall, wide = np.rint(side * height), np.rint(side * width)
        y, x = np.floor(down * height), np.floor(right * width)
        edges = [y - tall // 2, x - wide // 2, y - tall // 2 + tall, x - wide // 2 + wide]
        limits = (height, width, height, width)
        return np.stack([edge.clip(0, limit) for edge, limit in zip(edges, limits, strict=True)], 1).astype(
            int
        )

    def mix(self, scene: Scene, others: list[Scene], address: Address) -> Scene:
        """The samples with windows of the one other scene."""
        other = others[0]
        first = next(iter(scene.images.values()))
        size = (first.shape[1], first.shape[2])
        top, left, bottom, right = self.windows(size, address).T
        shares = (bottom - top) * (right - left) / (size[0] * size[1])

        def paste(mine: Tensor, theirs: Tensor) -> Tensor:
            inside = within(self.windows((mine.shape[1], mine.shape[2]), address), mine)
            return torch.where(inside.view(*inside.shape, *(1,) * (mine.dim() - 3)), theirs, mine)

        def weigh(mine: Tensor, theirs: Tensor) -> Tensor:
            share = to_floats(shares, mine.device).view(-1, *(1,) * (mine.dim() - 1))
            return mine * (1 - share) + theirs * share

        groups = {
            name: {key: paste(t, getattr(other, name)[key]) for key, t in getattr(scene, name).items()}
            for name in ("images", "pictures", "masks")
        }
        labels = {name: weigh(value, other.labels[name]) for name, value in scene.labels.items()}
        return replace(scene, labels=labels, **groups)


def within(windows: np.ndarray, like: Tensor) -> Tensor:
    """Which pixels lie in a window of top, left, bottom, right `[B, 4]`: bool `[B, H, W]`."""
    edges = torch.from_numpy(windows).to(like.device)
    y = torch.arange(like.shape[1], device=like.device)[None, :]
    x = torch.arange(like.shape[2], device=like.device)[None, :]
    rows = (y >= edges[:, 0:1]) & (y < edges[:, 2:3])
    columns = (x >= edges[:, 1:2]) & (x < edges[:, 3:4])
    return rows[:, :, None] & columns[:, None, :]
