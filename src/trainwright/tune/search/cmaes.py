"""Covariance matrix adaptation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainwright.errors import MissingExtra, RecipeError
from trainwright.fields import PositiveInt
from trainwright.recipe.space import Space
from trainwright.tune.search.base import one_objective
from trainwright.tune.search.optuna_search import OptunaSearch

if TYPE_CHECKING:
    import optuna


class Cmaes(OptunaSearch):
    """CMA-ES, of Optuna: many trials over numbers; choices are drawn at random.

    Hansen, The CMA Evolution Strategy: A Tutorial (2016).

    Raises:
        RecipeError: Several objectives, or a space without numbers.

    Args:
        startup: Random trials before the first generation.
        population: Points of a generation; 4 + floor(3 ln D) of D dimensions when absent.
    """

    repeats_asks = True

    def __init__(
        self,
        space: Space,
        directions: Mapping[str, str],
        seed: int,
        *,
        startup: PositiveInt = 1,
        population: PositiveInt | None = None,
    ) -> None:
        one_objective("cmaes", directions)
        if all(variable.choices is not None for variable in space.variables):
            raise RecipeError(
                "cmaes searches numbers, and the space has choices only",
                where="tune.search",
                fix="use tpe, random or grid",
            )
        try:
            import cmaes  # noqa: F401
        except ImportError as error:
            raise MissingExtra("cmaes", "tune") from error
        self._startup, self._population = startup, population
        super().__init__(space, directions, seed)

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """A new sampler."""
        return self._optuna.samplers.CmaEsSampler(
            n_startup_trials=self._startup,
            popsize=self._population,
            independent_sampler=self._optuna.samplers.RandomSampler(seed=seed),
            warn_independent_sampling=False,
            seed=seed,
        )
