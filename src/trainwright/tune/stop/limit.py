"""Stopping what leaves given limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt
from trainwright.tune.curve import Curves
from trainwright.tune.stop.base import Stopper, Verdict


class Limit(Stopper):
    """Stops a trial whose metric, or the ratio of two metrics, leaves given limits.

    `{name: limit, metric: val/loss, over: train/loss, high: 2}` stops what overfits. A value that is no
    number lies outside every limit.

    Args:
        metric: Such as val/loss.
        over: A second metric that the first is divided by.
        low: Smallest value that may go on.
        high: Largest value that may go on.
        after: Epochs that every trial is given.
    """

    def __init__(
        self,
        objectives: Mapping[str, str],
        *,
        metric: str,
        over: str | None = None,
        low: float | None = None,
        high: float | None = None,
        after: PositiveInt = 1,
    ) -> None:
        if low is None and high is None:
            raise RecipeError(
                "a limit needs `low`, `high` or both", where="tune.stop", fix="give one of them"
            )
        if low is not None and high is not None and low > high:
            raise RecipeError(
                f"no number is above {low:g} and below {high:g}", where="tune.stop", fix="exchange them"
            )
        self.metrics = (metric,) if over is None else (metric, over)
        self._low = float("-inf") if low is None else low
        self._high = float("inf") if high is None else high
        self._after = after

    def judge(self, number: int, curves: Curves, done: Collection[int]) -> Verdict | None:
        """Looks at the newest report alone."""
        report = curves[number][-1]
        if report.epoch < self._after or any(name not in report.values for name in self.metrics):
            return None
        value, *rest = (report.values[name] for name in self.metrics)
        if rest:
            value = value / rest[0] if rest[0] else float("nan")
        if self._low <= value <= self._high:
            return None
        bound = f"below {self._low:g}" if value < self._low else f"above {self._high:g}"
        bound = bound if value == value else "no number"
        return Verdict(
            "stop", f"limit: {' / '.join(self.metrics)} is {value:.5g} at epoch {report.epoch}, {bound}"
        )
