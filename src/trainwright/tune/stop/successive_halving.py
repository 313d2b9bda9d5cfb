"""Successive halving: few epochs for many trials, many epochs for the best of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Annotated

from annotated_types import Ge

from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt
from trainwright.tune.curve import Curves, cost, reached
from trainwright.tune.stop.base import Stopper, Verdict, one_metric


class SuccessiveHalving(Stopper):
    """Successive halving: at each rung the best 1/`factor` go on, the others are paused.

    Asynchronous: a paused trial goes on, from its checkpoint, as soon as it is among the best of its rung,
    because worse ones have come to it. When nothing new comes, one more of each rung goes on where the share
    is no whole number, so that the best always comes to its end.
    Li et al., A System for Massively Parallel Hyperparameter Tuning (2020).

    Args:
        metric: The objective that is looked at; the only one when absent.
        first: Epochs of the first rung; each further one has `factor` times as many.
        factor: One of so many goes on.
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
        self._metric, self._direction = one_metric("successive_halving", metric, objectives)
        self.metrics = (self._metric,)
        self._first, self._factor = first, factor
        if epochs is not None and first >= epochs:
            raise RecipeError(
                f"the first rung, {first} epochs, is no less than the whole training of {epochs:g}",
                where="tune.stop",
                fix="lower `first`, or raise train.epochs",
            )

    def judge(self, number: int, curves: Curves, done: Collection[int]) -> Verdict | None:
        """Pauses what is not among the best of a rung that it has just come to."""
        curve = curves[number]
        epoch, before = curve[-1].epoch, curve[-2].epoch if len(curve) > 1 else 0
        rung = next((rung for rung in self._rungs(epoch) if before < rung <= epoch), None)
        if rung is None:
            return None
        order = self._order(curves, rung)
        place, go_on = order.index(number), len(order) // self._factor
        if place < go_on:
            return None
        value = curve[-1].values.get(self._metric, math.nan)
        return Verdict(
            "pause",
            f"successive halving: {self._metric} {value:.5g} at epoch {rung} is number {place + 1} of "
            f"{len(order)}, and {go_on} go{'es' if go_on == 1 else ''} on",
        )

    def promoted(self, curves: Curves, paused: Collection[int], *, last: bool) -> int | None:
        """The best paused trial of the highest rung that has room."""
        farthest = max((curve[-1].epoch for curve in curves.values()), default=0)
        for rung in reversed(self._rungs(farthest)):
            order = self._order(curves, rung)
            share = len(order) / self._factor
            for number in order[: math.ceil(share) if last else math.floor(share)]:
                if number in paused and not self._beyond(curves, number, rung):
                    return number
        return None

    def _rungs(self, epoch: int) -> list[int]:
        """Epochs of the rungs up to an epoch."""
        rungs, rung = [], self._first
        while rung <= epoch:
            rungs.append(rung)
            rung *= self._factor
        return rungs

    def _order(self, curves: Curves, rung: int) -> list[int]:
        """Trials that came to a rung, the best first; of equal ones the first."""
        found = []
        for number, curve in curves.items():
            report = reached(curve, rung)
            if report is not None:
                value = report.values.get(self._metric, math.nan)
                found.append((cost(value, self._direction), number))
        return [number for _, number in sorted(found)]

    def _beyond(self, curves: Curves, number: int, rung: int) -> bool:
        """Whether a trial went on behind a rung."""
        report = reached(curves[number], rung)
        return report is not None and curves[number][-1].epoch > report.epoch
