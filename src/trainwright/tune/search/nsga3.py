"""Non-dominated sorting genetic algorithm with reference points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from trainwright.fields import PositiveInt
from trainwright.recipe.space import Space
from trainwright.tune.constraints import Constraint
from trainwright.tune.search.optuna_search import OptunaSearch

if TYPE_CHECKING:
    import optuna


class Nsga3(OptunaSearch):
    """NSGA-III, of Optuna: three or more objectives, many trials.

    Deb and Jain, An Evolutionary Many-Objective Optimization Algorithm Using Reference-Point-Based
    Nondominated Sorting Approach (2014).

    Args:
        population: Points of a generation.
        divisions: Of every objective's axis: how densely the reference points lie that keep the front wide.
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
        divisions: PositiveInt = 3,
    ) -> None:
        self._population, self._divisions = population, divisions
        super().__init__(space, directions, seed, constraints)

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """A new sampler."""
        return self._optuna.samplers.NSGAIIISampler(
            population_size=self._population,
            dividing_parameter=self._divisions,
            constraints_func=self.excess,
            seed=seed,
        )
