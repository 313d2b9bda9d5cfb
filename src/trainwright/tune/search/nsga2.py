"""Non-dominated sorting genetic algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from trainwright.recipe.space import Space
from trainwright.tune.constraints import Constraint
from trainwright.tune.search.optuna_search import OptunaSearch

if TYPE_CHECKING:
    import optuna


class Nsga2(OptunaSearch):
    """NSGA-II, of Optuna: several objectives, many trials.

    Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II (2002).

    Args:
        population: Points of a generation.
    """

    repeats_asks = True

    def __init__(
        self,
        space: Space,
        directions: Mapping[str, str],
        seed: int,
        constraints: Sequence[Constraint] = (),
        *,
        population: Annotated[int, Ge(2)] = 50,
    ) -> None:
        self._population = population
        super().__init__(space, directions, seed, constraints)

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """A new sampler."""
        return self._optuna.samplers.NSGAIISampler(
            population_size=self._population, constraints_func=self.excess, seed=seed
        )
