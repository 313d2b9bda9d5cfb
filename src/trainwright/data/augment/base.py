"""What every augmentation is: a pure function of a batch and the addresses of its samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from trainwright.data import addressed

if TYPE_CHECKING:
    from trainwright.data.augment.scene import Scene
    from trainwright.data.augment.warp import Warp


@dataclass(frozen=True)
class Address:
    """Where the random numbers of one batch come from.

    Attributes:
        seed: The run's seed.
        epoch: The epoch, so that a sample looks different each time.
        ids: Row numbers of the samples, int64 `[B]`.
        stream: Place of the augmentation in the recipe's list; two crops differ.
    """

    seed: int
    epoch: int
    ids: np.ndarray
    stream: int

    def uniform(self, count: int) -> np.ndarray:
        """Numbers in [0, 1), float64 `[B, count]`, each a function of this address alone."""
        key = addressed.key("augment", self.seed, self.epoch, self.stream)
        return addressed.uniform(key, self.ids, count)

    def words(self, count: int) -> np.ndarray:
        """Random 64-bit words `[B, count]` for what needs very many, independent of `uniform`."""
        key = addressed.key("augment words", self.seed, self.epoch, self.stream)
        return addressed.bits(key, self.ids, count)

    def partners(self, among: np.ndarray, count: int) -> np.ndarray:
        """Row numbers of `count` partners of each sample, int64 `[B, count]`, out of the rows `among`."""
        key = addressed.key("partners", self.seed, self.epoch, self.stream)
        return among[addressed.integers(key, self.ids, len(among), count)]


class Augment(ABC):
    """Varies stored values of some types of input, a whole batch at once.

    Changes of colour and of signals are of this kind. What moves pixels is `Geometric`, what takes in other
    samples is `Mixing`.

    Attributes:
        types: Types of the input columns that it acts on; images are `[B, H, W, C]`, uint8 or float32 from 0
            to 255.
    """

    types: ClassVar[frozenset[str]] = frozenset({"image"})

    @abstractmethod
    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images of the same dtype and layout; the size may change."""

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width after this augmentation."""
        return size


class Geometric(Augment):
    """Moves pixels: boxes, masks and points of the same pictures are moved along.

    Attributes:
        min_visible: Share of a moved box that must lie inside of the result; objects with less are gone.
        counts_pixels: Whether it moves by a number of pixels, so that pictures of two sizes come apart.
        wanted: Size that the model reads by the larger one that is stored; what cuts windows and is given no
            size of its own gives this.
    """

    min_visible: float = 0.2
    counts_pixels: ClassVar[bool] = False
    wanted: Mapping[tuple[int, int], tuple[int, int]] = MappingProxyType({})

    @abstractmethod
    def warp(self, size: tuple[int, int], address: Address) -> Warp:
        """Where the pixels of each picture go, for pictures of a height and width."""

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]` with their pixels moved."""
        return self.warp((images.shape[1], images.shape[2]), address).pixels(images)


class Mixing(Augment):
    """Takes in other samples, which the loader fetches: rows addressed by seed, epoch and sample.

    Attributes:
        partners: Other samples that each sample needs.
        blends: Whether pixels of several samples are added, so that a pixel has several classes.
        takes_objects: Whether it knows what becomes of boxes and the like.
    """

    partners: int = 1
    blends: bool = False
    takes_objects: bool = True

    @abstractmethod
    def mix(self, scene: Scene, others: list[Scene], address: Address) -> Scene:
        """The samples of `scene`, each mixed with the same place of each of `others`."""

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Not by images alone."""
        raise TypeError(f"{type(self).__name__} needs other samples; use `mix`")


def to_index(values: np.ndarray, device: torch.device) -> Tensor:
    """A whole-number array as an index tensor on `device`."""
    return torch.from_numpy(values.astype(np.int64)).to(device, non_blocking=True)


def to_floats(values: np.ndarray, device: torch.device) -> Tensor:
    """An array as a float32 tensor on `device`."""
    return torch.from_numpy(values.astype(np.float32)).to(device, non_blocking=True)


def like_stored(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Float pixels in the range and dtype of stored ones."""
    clipped = values.clamp_(0, 255)
    return clipped.round_().to(dtype) if dtype == torch.uint8 else clipped.to(dtype)
