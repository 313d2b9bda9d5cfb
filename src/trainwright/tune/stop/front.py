"""Stopping what cannot reach the Pareto front any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from trainwright.errors import RecipeError
from trainwright.fields import Fraction, PositiveInt
from trainwright.tune.curve import Curve, Curves, best_cost, reached, until
from trainwright.tune.stop.base import Stopper, Verdict

Costs = npt.NDArray[np.float64]


class Front(Stopper):
    """Stops a trial whose optimistic extrapolation is dominated by another trial at the same epoch.

    How optimistic is learned from the trials that came to their end: of every two of them, the one that
    ended better may have been behind at this epoch, and by how much it was is what a trial may make up for.
    What stays as it is during a training (the model's parameters, its size) needs no extrapolation.

    Args:
        startup: Trials that must have come to their end before any is judged.
        after: Epochs that every trial is given.
        confidence: Share of the pairs that ended in another order than they were in, whose gap counts as
            one that can be made up for.
    """

    def __init__(
        self,
        objectives: Mapping[str, str],
        *,
        startup: PositiveInt = 5,
        after: PositiveInt = 1,
        confidence: Fraction = 0.75,
    ) -> None:
        if len(objectives) < 2:
            raise RecipeError(
                "stopper `front` compares by several objectives, and there is one",
                where="tune.stop",
                fix="use median or successive_halving",
            )
        late = [name for name in objectives if name.startswith("run/")]
        if late:
            raise RecipeError(
                f"stopper `front` cannot judge by {late[0]}, which is known at the end of a run only",
                where="tune.stop",
                fix="use `limit` or `median` with `metric`, or remove the objective",
            )
        self.metrics = tuple(objectives)
        self._directions = list(objectives.values())
        self._startup, self._after, self._confidence = startup, after, confidence

    def judge(self, number: int, curves: Curves, done: Collection[int]) -> Verdict | None:
        """Compares with every trial that has come to this epoch."""
        epoch = curves[number][-1].epoch
        mine = self._costs(curves[number], epoch)
        ended = [curves[o] for o in done if o != number and o in curves and reached(curves[o], epoch)]
        if epoch < self._after or mine is None or len(ended) < self._startup:
            return None
        margin = self._margin(ended, epoch)
        optimistic = mine - margin
        for other, curve in curves.items():
            theirs = self._costs(curve, epoch) if other != number and reached(curve, epoch) else None
            if theirs is not None and (theirs <= optimistic).all() and (theirs < optimistic).any():
                return Verdict("stop", self._reason(epoch, mine, margin, other, theirs))
        return None

    def _costs(self, curve: Curve, epoch: int) -> Costs | None:
        """The best of every objective by an epoch, less is better; None where one was not reported."""
        seen = until(curve, epoch) or curve[:1]
        found = [best_cost(seen, *pair) for pair in zip(self.metrics, self._directions, strict=True)]
        known = [value for value in found if value is not None]
        return np.array(known) if len(known) == len(found) else None

    def _margin(self, ended: list[Curve], epoch: int) -> Costs:
        """How much one that ended better was behind at an epoch, by objective."""
        pairs = [(self._costs(curve, epoch), self._costs(curve, curve[-1].epoch)) for curve in ended]
        known = [(early, late) for early, late in pairs if early is not None and late is not None]
        if not known:  # nothing is known of late improvements, so anything may still come
            return np.full(len(self.metrics), np.inf)
        now, end = (np.stack(values) for values in zip(*known, strict=True))
        with np.errstate(invalid="ignore"):
            behind = now[:, None] - now[None, :]
        turned = (end[:, None] < end[None, :]) & (behind > 0) & np.isfinite(behind)
        margin = np.zeros(now.shape[1])
        for index in range(now.shape[1]):
            gaps = behind[..., index][turned[..., index]]
            if len(gaps):
                margin[index] = np.quantile(gaps, self._confidence)
        return margin

    def _reason(self, epoch: int, mine: Costs, margin: Costs, other: int, theirs: Costs) -> str:
        parts = []
        for index, (name, direction) in enumerate(zip(self.metrics, self._directions, strict=True)):
            sign = -1 if direction == "maximize" else 1
            hoped = f" (at best {sign * (mine[index] - margin[index]):.5g})" if margin[index] else ""
            parts.append(f"{name} {sign * mine[index]:.5g}{hoped} against {sign * theirs[index]:.5g}")
        return f"front: dominated by trial {other} at epoch {epoch}: {', '.join(parts)}"
