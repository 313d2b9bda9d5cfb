"""Random operations out of a list, as TrivialAugment and RandAugment have it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment import colour
from trainwright.data.augment.base import Address, Geometric, like_stored, to_floats, to_index
from trainwright.data.augment.warp import Warp, about_centre, identity, linear_maps, shifts

Operation = Callable[[Tensor, Tensor], Tensor]

COLOURS: dict[str, Operation] = {
    "brightness": lambda images, m: colour.brightness(images, 1 + m),
    "saturation": lambda images, m: colour.saturation(images, 1 + m),
    "contrast": lambda images, m: colour.contrast(images, 1 + m),
    "sharpness": lambda images, m: colour.sharpness(images, 1 + m),
    "posterize": lambda images, m: colour.posterize(images, 8 - 6 * m.abs()),
    "solarize": lambda images, m: colour.solarize(images, 255.0 * (1 - m.abs()) + 0.5),
    "auto_contrast": lambda images, m: colour.auto_contrast(images),
    "equalize": lambda images, m: colour.equalize(images),
}
MOVES = ("shear_x", "shear_y", "shift_x", "shift_y", "rotate")
NAMES = ("identity", *COLOURS, *MOVES)
"""The 14 operations of both papers; magnitudes lie in [-1, 1]."""


class Policy(Geometric):
    """Applies operations to each image: first the colours, then all moves as one.

    Args:
        layers: Operations per image.
        strength: Scale of all magnitudes.
        shift: Largest shift as a share of the side.
        degrees: Largest turn; the largest shear is tan of half of it.
    """

    min_visible = 0.2

    def __init__(self, layers: int, shift: float, degrees: float) -> None:
        self.layers, self.shift, self.degrees = layers, shift, degrees

    def magnitudes(self, draws: np.ndarray) -> np.ndarray:
        """Magnitudes in [-1, 1] from uniform numbers, of the same shape."""
        raise NotImplementedError

    def plan(self, address: Address) -> tuple[np.ndarray, np.ndarray]:
        """Operations int64 `[B, layers]`, as places in `NAMES`, and their magnitudes float64."""
        draws = address.uniform(2 * self.layers).reshape(-1, self.layers, 2)
        return (draws[:, :, 0] * len(NAMES)).astype(np.int64), self.magnitudes(draws[:, :, 1])

    def warp(self, size: tuple[int, int], address: Address) -> Warp:
        """The moves of each picture, as one map."""
        operations, magnitudes = self.plan(address)
        matrices = identity(len(operations))
        for layer in range(self.layers):
            matrices = self._move(operations[:, layer], magnitudes[:, layer], size) @ matrices
        return Warp(matrices, size, size, "zero")

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]`, changed and moved."""
        operations, magnitudes = self.plan(address)
        for layer in range(self.layers):
            for place, name in enumerate(NAMES):
                chosen = np.flatnonzero(operations[:, layer] == place)
                if name in COLOURS and len(chosen):
                    images = _changed(images, chosen, COLOURS[name], magnitudes[chosen, layer])
        warp = self.warp((images.shape[1], images.shape[2]), address)
        moved = np.flatnonzero((warp.matrices != np.eye(3)).any(axis=(1, 2)))
        if not len(moved):
            return images
        places = to_index(moved, images.device)
        part = Warp(warp.matrices[moved], warp.source, warp.size, warp.fill)
        return images.index_copy(0, places, part.pixels(images.index_select(0, places)).contiguous())

    def _move(self, operations: np.ndarray, magnitudes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        amount = {name: np.where(operations == NAMES.index(name), magnitudes, 0.0) for name in MOVES}
        angle = np.radians(self.degrees)
        linear = linear_maps(
            amount["rotate"] * angle,
            np.ones(len(operations)),
            amount["shear_x"] * angle / 2,
            amount["shear_y"] * angle / 2,
        )
        moved = shifts(amount["shift_x"] * self.shift * size[1], amount["shift_y"] * self.shift * size[0])
        return moved @ about_centre(linear, size)


def _changed(images: Tensor, chosen: np.ndarray, operation: Operation, magnitudes: np.ndarray) -> Tensor:
    places = to_index(chosen, images.device)
    part = operation(images.index_select(0, places).float(), to_floats(magnitudes, images.device))
    return images.index_copy(0, places, like_stored(torch.clone(part), images.dtype))
