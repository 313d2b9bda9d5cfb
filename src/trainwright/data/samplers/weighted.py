"""Draws by weight: a column of the source, or a weight per class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trainwright.data import addressed
from trainwright.data.measures import numbers
from trainwright.data.samplers.base import WHERE, category_target
from trainwright.data.types import Values
from trainwright.errors import RecipeError, closest
from trainwright.fields import NonNegative

DEAD_WHEN = {"Weighted": {"target": "classes == None"}}


class Weighted:
    """Draws every place of the epoch from all rows, with chances in proportion to their weights.

    Give either `column` or `classes`.

    Args:
        labels: Class of every row of the source, int64 `[n]`, -1 for none, by category target.
        class_names: Names of the classes in the order of their ids, by category target.
        columns: Raw values of every row of the source, by column.
        column: Column of the source that holds the weights.
        classes: Weight per class name; 1 for those that are not named.
        target: Target whose classes are weighed; the only category target when absent.
    """

    each_once = False

    def __init__(
        self,
        labels: Mapping[str, npt.NDArray[np.int64]],
        class_names: Mapping[str, tuple[str, ...]],
        columns: Mapping[str, Values],
        *,
        column: str | None = None,
        classes: dict[str, NonNegative] | None = None,
        target: str | None = None,
    ) -> None:
        if (column is None) == (classes is None):
            raise RecipeError(
                "`weighted` needs weights from one place", where=WHERE, fix="give `column`, or `classes`"
            )
        if column is not None:
            self._weights = numbers(columns[column])
        else:
            chosen = category_target(labels, target)
            self._weights = _class_weights(classes or {}, class_names[chosen])[labels[chosen]]

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of one epoch, int64 `[N]`; see `trainwright.data.samplers.base`."""
        weights = self._weights[rows]
        bad = ~(np.isfinite(weights) & (weights >= 0))
        if bad.any():
            raise RecipeError(
                f"{bad.sum()} of {len(rows)} training samples have a weight that is no number from 0 up",
                where=WHERE,
                why=f"the first is {weights[bad][0]:g}",
                fix="mend the column; a weight of 0 leaves a sample out",
            )
        total = np.cumsum(weights)
        if len(rows) and total[-1] <= 0:
            raise RecipeError(
                "all training samples have weight 0",
                where=WHERE,
                fix="give at least one of them a weight above 0",
            )
        draws = addressed.uniform(addressed.key("weighted", seed, epoch), np.arange(len(rows)))[:, 0]
        # A product just below the total may round to it: the last row with a weight is meant then.
        last = int(np.flatnonzero(weights)[-1]) if len(rows) else 0
        places = np.searchsorted(total, draws * total[-1:], side="right")
        return rows[np.minimum(places, last)]


def _class_weights(given: Mapping[str, float], classes: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Weights by class id, with that of rows without a class, which is 0, at the end."""
    for name in given:
        if name not in classes:
            near = closest(name, classes)
            raise RecipeError(
                f"there is no class {name!r}",
                where=f"{WHERE}.classes",
                fix=f"did you mean {near!r}?" if near else f"classes: {', '.join(classes[:20])}",
            )
    return np.array([*(given.get(name, 1.0) for name in classes), 0.0])
