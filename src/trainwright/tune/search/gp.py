"""Gaussian process with expected improvement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainwright.fields import PositiveInt
from trainwright.recipe.space import Space
from trainwright.tune.constraints import Constraint
from trainwright.tune.search.optuna_search import OptunaSearch

if TYPE_CHECKING:
    import optuna


class Gp(OptunaSearch):
    """Gaussian process, of Optuna: few dimensions, few and expensive trials.

    Dimensions that are not active in every trial are drawn at random.

    Args:
        startup: Random trials before the first fit.
        noiseless: The same point always gives the same value.
    """

    def __init__(
        self,
        space: Space,
        directions: Mapping[str, str],
        seed: int,
        constraints: Sequence[Constraint] = (),
        *,
        startup: PositiveInt = 10,
        noiseless: bool = False,
    ) -> None:
        self._startup, self._noiseless = startup, noiseless
        super().__init__(space, directions, seed, constraints)

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """A new sampler."""
        return self._optuna.samplers.GPSampler(
            n_startup_trials=self._startup,
            deterministic_objective=self._noiseless,
            warn_independent_sampling=False,
            constraints_func=self.excess,
            seed=seed,
        )
