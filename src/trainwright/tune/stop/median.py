"""Stopping what is worse than half of the others were."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping

from trainwright.fields import PositiveInt
from trainwright.tune.curve import Curves, best_cost, reached, until
from trainwright.tune.stop.base import Stopper, Verdict, one_metric


class Median(Stopper):
    """Stops a trial whose best value so far is worse than the median of the others' at the same epoch.

    Golovin et al., Google Vizier: A Service for Black-Box Optimization (2017), section 3.2.

    Args:
        metric: The objective that is looked at; the only one when absent.
        startup: Trials that must have come to an epoch before others are judged at it.
        after: Epochs that every trial is given.
    """

    def __init__(
        self,
        objectives: Mapping[str, str],
        *,
        metric: str | None = None,
        startup: PositiveInt = 5,
        after: PositiveInt = 1,
    ) -> None:
        self._metric, self._direction = one_metric("median", metric, objectives)
        self.metrics = (self._metric,)
        self._startup, self._after = startup, after

    def judge(self, number: int, curves: Curves, done: Collection[int]) -> Verdict | None:
        """Compares with every trial that has come to this epoch."""
        epoch = curves[number][-1].epoch
        mine = self._best(curves, number, epoch)
        others = [self._best(curves, o, epoch) for o in curves if o != number and reached(curves[o], epoch)]
        costs = [other for other in others if other is not None]
        if epoch < self._after or mine is None or len(costs) < self._startup:
            return None
        middle = statistics.median(costs)
        if mine <= middle:
            return None
        sign = -1 if self._direction == "maximize" else 1
        return Verdict(
            "stop",
            f"median: best {self._metric} {sign * mine:.5g} by epoch {epoch} is worse than "
            f"{sign * middle:.5g}, the median of {len(costs)} trials there",
        )

    def _best(self, curves: Curves, number: int, epoch: int) -> float | None:
        return best_cost(until(curves[number], epoch), self._metric, self._direction)
