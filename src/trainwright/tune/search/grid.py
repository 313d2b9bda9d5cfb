"""Every point of a grid, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt
from trainwright.recipe.space import Point, Space, Value, Variable, point_key
from trainwright.tune.trial import Trial


class Grid:
    """Every combination of the values, each exactly once, the last dimension varying fastest.

    Args:
        points: Values of a range that has no `step`, evenly spaced, both ends included.
    """

    def __init__(
        self, space: Space, directions: Mapping[str, str], seed: int, *, points: PositiveInt | None = None
    ) -> None:
        self._each = points
        for variable in space.variables:
            self._values(variable)
        # Whole numbers that lie close together may be rounded to one.
        self._points = list({point_key(point): point for point in space.points(self._values)}.values())
        self._keys = [point_key(point) for point in self._points]
        self.size: int | None = len(self._points)
        self._ordered = 0  # trials from the first on that have the point of their number

    def ask(self, number: int, history: Sequence[Trial]) -> Point | None:
        """The first point that no trial has: that of the number, except in a study that was merged."""
        self._ordered = min(self._ordered, len(history))
        for trial, key in zip(history[self._ordered :], self._keys[self._ordered :], strict=False):
            if point_key(trial.point) != key:
                break
            self._ordered += 1
        if self._ordered == len(history):
            return dict(self._points[number]) if number < len(self._points) else None
        tried = {point_key(trial.point) for trial in history}
        return next(
            (dict(p) for p, key in zip(self._points, self._keys, strict=True) if key not in tried), None
        )

    def _values(self, variable: Variable) -> list[Value]:
        if variable.choices is not None:
            return list(variable.choices)
        step = variable.step if variable.step is not None else 1.0 if variable.integer else None
        if self._each is not None and variable.step is None:
            spaced = np.geomspace if variable.log else np.linspace
            values = spaced(variable.low, variable.high, self._each)
            return list(dict.fromkeys(variable.number(float(value)) for value in values))
        if step is None or variable.log:
            raise RecipeError(
                "a grid needs values that can be counted",
                where=f"tune.space.{variable.path}",
                fix="give choices or a step, or `points` to the grid: search: {name: grid, points: 5}",
            )
        count = round((variable.high - variable.low) / step) + 1
        # Rounded to what a person wrote: 0.1 + 2 * 0.1 is 0.30000000000000004.
        return [variable.number(float(f"{variable.low + index * step:.12g}")) for index in range(count)]
