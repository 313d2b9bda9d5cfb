"""What a trial has to keep to be the best: limits of what was measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from trainwright.tune.curve import Curves
from trainwright.tune.stop.base import Stopper, Verdict
from trainwright.tune.trial import Trial

_UNCHANGING = "model/"  # what does not change while a model is trained


@dataclass(frozen=True)
class Constraint:
    """Limits of one metric, themselves included.

    Attributes:
        metric: Such as model/bytes.
        low: Smallest value; None for no limit.
        high: Largest value.
    """

    metric: str
    low: float | None = None
    high: float | None = None

    def excess(self, value: float | None) -> float:
        """How far a value lies outside; at most 0 where it is inside, infinite where there is none."""
        if value is None or value != value:
            return float("inf")
        below = self.low - value if self.low is not None else float("-inf")
        above = value - self.high if self.high is not None else float("-inf")
        return max(below, above)

    def broken(self, value: float | None) -> str:
        """What is wrong with a value, in words; empty where nothing is."""
        if self.excess(value) <= 0:
            return ""
        if value is None or value != value:
            return f"{self.metric} is not known"
        if self.low is not None and value < self.low:
            return f"{self.metric} {value:.6g} is below {self.low:g}"
        return f"{self.metric} {value:.6g} is above {self.high:g}"


def kept(trial: Trial, constraints: Collection[Constraint]) -> bool:
    """Whether what was measured of a trial lies within all limits."""
    measured = trial.details.get("constraints", {})
    return all(item.excess(measured.get(item.metric)) <= 0 for item in constraints)


class WithinConstraints(Stopper):
    """Stops a trial whose model is known to lie outside, before more is trained of it.

    Args:
        constraints: Limits; those of what changes in a training are left to its end.
    """

    def __init__(self, constraints: Collection[Constraint]) -> None:
        self._constraints = [item for item in constraints if item.metric.startswith(_UNCHANGING)]
        self.metrics = tuple(item.metric for item in self._constraints)

    def judge(self, number: int, curves: Curves, done: Collection[int]) -> Verdict | None:
        """Looks at the newest report alone."""
        values: Mapping[str, float] = curves[number][-1].values
        for item in self._constraints:
            if item.metric in values and item.excess(values[item.metric]) > 0:
                return Verdict("stop", f"constraint: {item.broken(values[item.metric])}")
        return None
