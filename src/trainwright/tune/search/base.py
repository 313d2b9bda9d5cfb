"""What every search gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from trainwright.errors import RecipeError
from trainwright.recipe.space import Point
from trainwright.tune.trial import Trial


class Search(Protocol):
    """Chooses points. What it chooses is a function of its seed, the number and the history alone."""

    size: int | None
    """How many points there are; None where there is no end."""

    def ask(self, number: int, history: Sequence[Trial]) -> Point | None:
        """The point of a trial.

        Args:
            number: Of the trial, from 0.
            history: All trials before it, in their order.

        Returns:
            The point; None where there are no more.
        """


def one_objective(name: str, directions: Mapping[str, str]) -> None:
    """Refuses several objectives for a search that knows one. Raises RecipeError."""
    if len(directions) > 1:
        raise RecipeError(
            f"search `{name}` takes one objective, and there are {len(directions)}",
            where="tune.search",
            fix="use tpe, nsga2, nsga3 or random, or leave one objective",
        )
