"""Look at the picture from the side."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.warp import Warp
from trainwright.fields import Fraction


class Perspective(Geometric):
    """Moves the four corners inwards, each by its own amount, and the picture with them.

    Args:
        strength: Largest move of a corner, as a share of half of the side.
        probability: Share of the pictures that are changed.
        fill: Outside of the picture: black, its edge drawn out, or its mirror image.
        min_visible: Objects of which a smaller share of the box is left are gone.
    """

    def __init__(
        self,
        *,
        strength: Annotated[float, Interval(ge=0, le=0.8)] = 0.3,
        probability: Fraction = 0.5,
        fill: Literal["zero", "edge", "reflect"] = "zero",
        min_visible: Fraction = 0.2,
    ) -> None:
        self.strength, self.probability, self.fill, self.min_visible = (
            strength,
            probability,
            fill,
            min_visible,
        )

    def warp(self, size: tuple[int, int], address: Address) -> Warp:
        """One projective map per picture."""
        draws = address.uniform(9)
        inwards = np.where(draws[:, :1] < self.probability, draws[:, 1:], 0.0).reshape(-1, 4, 2)
        height, width = size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=float)
        direction = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        moved = corners + direction * inwards * self.strength * np.array([width / 2, height / 2])
        return Warp(_projections(corners, moved), size, size, self.fill)


def _projections(corners: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Maps that take four corners `[4, 2]` to others `[n, 4, 2]`, float64 `[n, 3, 3]`."""
    count = len(moved)
    system = np.zeros((count, 8, 8))
    x, y = corners.T
    for axis in range(2):
        rows = slice(axis * 4, axis * 4 + 4)
        system[:, rows, axis * 3] = x
        system[:, rows, axis * 3 + 1] = y
        system[:, rows, axis * 3 + 2] = 1
        system[:, rows, 6] = -x * moved[:, :, axis]
        system[:, rows, 7] = -y * moved[:, :, axis]
    goal = moved.transpose(0, 2, 1).reshape(count, 8, 1)
    solved = np.linalg.solve(system, goal)[:, :, 0]
    return np.concatenate([solved, np.ones((count, 1))], axis=1).reshape(count, 3, 3)
