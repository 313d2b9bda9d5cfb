"""What a trial has to keep to be the best: limits of what was measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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

    def share(self, value: float | None) -> float:
        """The excess as a share of the limit that is broken; the excess itself where that is 0."""
        excess = self.excess(value)
        limit = self.low if self.low is not None and value is not None and value < self.low else self.high
        return excess / abs(limit) if limit else excess

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


def nearest(trials: Sequence[Trial], constraints: Collection[Constraint]) -> tuple[Trial, str]:
    """The trial that breaks the fewest limits, and of those the one that breaks its worst by the least share.

    Args:
        trials: One or more.
        constraints: Limits.

    Returns:
        It, and what it breaks, in words; empty where it breaks nothing.
    """

    def far(trial: Trial) -> tuple[int, float]:
        """How many limits are broken, and the largest excess as a share of its limit."""
        measured = trial.details.get("constraints", {})
        shares = [item.share(measured.get(item.metric)) for item in constraints]
        return sum(share > 0 for share in shares), max(shares, default=0.0)

    trial = min(trials, key=far)
    measured = trial.details.get("constraints", {})
    broken = [item.broken(measured.get(item.metric)) for item in constraints]
    return trial, ", ".join(text for text in broken if text)


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
