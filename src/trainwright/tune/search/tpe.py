"""Tree-structured Parzen estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainwright.fields import PositiveInt
from trainwright.recipe.space import Space
from trainwright.tune.constraints import Constraint
from trainwright.tune.search.optuna_search import OptunaSearch

if TYPE_CHECKING:
    import optuna


class Tpe(OptunaSearch):
    """Tree-structured Parzen estimator, of Optuna: any space, one or several objectives.

    Points that are being tried count as bad ones, so that trials side by side differ.
    Bergstra et al., Algorithms for Hyper-Parameter Optimization (2011).

    Args:
        startup: Random trials before the first estimate.
        candidates: Draws of which the most promising is tried.
        multivariate: Whether dimensions are estimated together, by groups that occur together.
    """

    def __init__(
        self,
        space: Space,
        directions: Mapping[str, str],
        seed: int,
        constraints: Sequence[Constraint] = (),
        *,
        startup: PositiveInt = 10,
        candidates: PositiveInt = 24,
        multivariate: bool = True,
    ) -> None:
        self._startup, self._candidates, self._multivariate = startup, candidates, multivariate
        super().__init__(space, directions, seed, constraints)

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """A new sampler."""
        return self._optuna.samplers.TPESampler(
            n_startup_trials=self._startup,
            n_ei_candidates=self._candidates,
            multivariate=self._multivariate,
            group=self._multivariate,
            warn_independent_sampling=False,
            constant_liar=True,
            constraints_func=self.excess,
            seed=seed,
        )
