"""Independent draws."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from trainwright.recipe.space import Point, Space, Value, Variable
from trainwright.tune.trial import Trial


class Random:
    """Independent uniform draws; each is a function of seed, trial and key path.

    What other trials found has no influence, so trials may be tried in any order and number.
    """

    size: int | None = None

    def __init__(self, space: Space, directions: Mapping[str, str], seed: int) -> None:
        self._space, self._seed = space, seed

    def ask(self, number: int, history: Sequence[Trial]) -> Point | None:
        """The point of that number."""
        return self._space.point(lambda variable: self._draw(variable, number))

    def _draw(self, variable: Variable, number: int) -> Value:
        address = (self._seed, number, zlib.crc32(variable.path.encode()))
        u = float(np.random.default_rng(address).random())
        return at(variable, u)


def at(variable: Variable, u: float) -> Value:
    """The value of a dimension at a share of its range.

    Args:
        variable: The dimension.
        u: In [0, 1); equal parts of it are equally likely values.
    """
    if variable.choices is not None:
        return variable.choices[int(u * len(variable.choices))]
    step = variable.step if variable.step is not None else 1.0 if variable.integer else None
    low, high = variable.low, variable.high
    if variable.log:
        # Whole numbers take the half unit around each, or the ends would be half as likely.
        half = 0.5 if variable.integer else 0.0
        value = math.exp(math.log(low - half) + u * (math.log(high + half) - math.log(low - half)))
        return variable.number(min(max(value, low), high))
    if step is None:
        return variable.number(low + u * (high - low))
    count = round((high - low) / step) + 1
    return variable.number(float(f"{low + int(u * count) * step:.12g}"))
