"""Whether the values of a target are such that its loss can make sense of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainwright.data.types import PreparedData
from trainwright.errors import DataError, TrainwrightError, raise_all
from trainwright.losses import LEAST_TARGET
from trainwright.recipe.schema import Recipe

_ROWS = 1 << 16  # read at a time, for an array may be larger than the memory


def check_target_ranges(recipe: Recipe, data: PreparedData) -> None:
    """Raises DataError where training values of a target are below what its loss is defined for."""
    raise_all(list(_below(recipe, data)))


def _below(recipe: Recipe, data: PreparedData) -> Iterator[TrainwrightError]:
    for name, section in recipe.data.targets.items():
        loss = section.loss["name"] if section.loss is not None else ""
        values = data.arrays.get(name)
        if loss not in LEAST_TARGET or values is None:
            continue
        lowest, row = _lowest(values, data.splits["train"])
        if lowest < LEAST_TARGET[loss]:
            rule = (section.model_extra or {}).get("normalise", "none")
            normalised = rule != "none"
            yield DataError(
                f"loss {loss} is for values of {LEAST_TARGET[loss]:g} or more, and {name} has negative ones: "
                f"{lowest:.4g} in {data.names[row]}" + (" after normalising" if normalised else ""),
                where=f"data.targets.{name}.loss",
                why=f"normalise: {rule} is what the loss is given"
                if normalised
                else "a count is never negative",
                fix="set normalise: none, or name another loss"
                if normalised
                else "leave these samples out, or name another loss",
            )


def _lowest(values: Any, rows: np.ndarray) -> tuple[float, int]:
    """The smallest value of some rows, and the row that has it."""
    best, at = np.inf, 0
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        lows = np.asarray(values[part]).reshape(len(part), -1).min(axis=1)
        place = int(lows.argmin())
        if lows[place] < best:
            best, at = float(lows[place]), int(part[place])
    return best, at
