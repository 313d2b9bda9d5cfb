"""What every augmentation is: a pure function of a batch and the addresses of its samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trainwright.data import addressed


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


class Augment(ABC):
    """Varies stored values of some types of input; called with the whole batch at once.

    Attributes:
        types: Types of the input columns that it acts on; images are `[B, H, W, C]` uint8.
    """

    types: ClassVar[frozenset[str]] = frozenset({"image"})

    @abstractmethod
    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images of the same dtype and layout; the size may change."""

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width after this augmentation."""
        return size


def to_index(values: np.ndarray, device: torch.device) -> Tensor:
    """A whole-number array as an index tensor on `device`."""
    return torch.from_numpy(values.astype(np.int64)).to(device, non_blocking=True)
