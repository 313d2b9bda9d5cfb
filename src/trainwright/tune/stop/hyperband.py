"""Hyperband: successive halving from several first rungs at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Annotated

from annotated_types import Ge

from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt
from trainwright.tune.curve import Curves
from trainwright.tune.stop.base import Stopper, Verdict, one_metric
from trainwright.tune.stop.successive_halving import SuccessiveHalving


class Hyperband(Stopper):
    """Hyperband: brackets of successive halving, from the boldest to one that pauses nobody early.

    Trials are dealt to the brackets by their number, in the proportions of the paper. With search `tpe`
    this is the idea of BOHB. Li et al., Hyperband (2018).

    Args:
        metric: The objective that is looked at; the only one when absent.
        first: Epochs of the boldest bracket's first rung.
        factor: One of so many goes on at each rung.
    """

    def __init__(
        self,
        objectives: Mapping[str, str],
        epochs: float | None,
        *,
        metric: str | None = None,
        first: PositiveInt = 1,
        factor: Annotated[int, Ge(2)] = 3,
    ) -> None:
        self._metric, _ = one_metric("hyperband", metric, objectives)
        self.metrics = (self._metric,)
        if epochs is None:
            raise RecipeError(
                "hyperband needs to know how many epochs a trial has",
                where="tune.stop",
                fix="give train.epochs, or use successive_halving",
            )
        most = math.floor(math.log(epochs / first, factor) + 1e-9) if epochs >= first else 0
        if most < 1:
            raise RecipeError(
                f"{epochs:g} epochs leave no room for rungs from {first} on, times {factor}",
                where="tune.stop",
                fix="lower `first` or `factor`, raise train.epochs, or use median",
            )
        starts = [first * factor**skipped for skipped in range(most + 1)]
        self._brackets = [
            SuccessiveHalving(objectives, None, metric=self._metric, first=start, factor=factor)
            for start in starts
        ]
        # Bracket s of the paper has ceil((most + 1) / (s + 1) * factor^s) trials.
        sizes = [math.ceil((most + 1) / (s + 1) * factor**s) for s in range(most, -1, -1)]
        self._dealt = _dealt(sizes)

    def judge(self, number: int, curves: Curves, done: Collection[int]) -> Verdict | None:
        """As the trial's bracket says, which knows its own trials alone."""
        bracket = self._bracket(number)
        verdict = self._brackets[bracket].judge(number, self._own(curves, bracket), done)
        if verdict is None:
            return None
        where = f"hyperband, bracket {bracket + 1} of {len(self._brackets)}: "
        return Verdict(verdict.action, where + verdict.reason.removeprefix("successive halving: "))

    def promoted(self, curves: Curves, paused: Collection[int], *, last: bool) -> int | None:
        """The first bracket's that has room."""
        for index, bracket in enumerate(self._brackets):
            number = bracket.promoted(self._own(curves, index), paused, last=last)
            if number is not None:
                return number
        return None

    def _bracket(self, number: int) -> int:
        return self._dealt[number % len(self._dealt)]

    def _own(self, curves: Curves, bracket: int) -> Curves:
        return {number: curve for number, curve in curves.items() if self._bracket(number) == bracket}


def _dealt(sizes: list[int]) -> list[int]:
    """Bracket of each trial of one round: as many as each has, as evenly mixed as can be."""
    places = [((turn + 0.5) / size, bracket) for bracket, size in enumerate(sizes) for turn in range(size)]
    return [bracket for _, bracket in sorted(places)]
