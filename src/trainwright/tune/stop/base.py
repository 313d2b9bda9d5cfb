"""What every rule of early stopping gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from trainwright.errors import RecipeError
from trainwright.tune.curve import Curves


@dataclass(frozen=True)
class Verdict:
    """What becomes of a trial that is not to go on now.

    Attributes:
        action: `stop` it for good, or `pause` it: it may go on from its checkpoint later.
        reason: Why, in words and figures.
    """

    action: Literal["stop", "pause"]
    reason: str


class Stopper(ABC):
    """Judges a trial after each of its reports, from the reports of all trials alone.

    Attributes:
        metrics: Names that every report has to give.
    """

    metrics: tuple[str, ...] = ()

    @abstractmethod
    def judge(self, number: int, curves: Curves, done: Collection[int]) -> Verdict | None:
        """What is to become of a trial; None where it goes on.

        Args:
            number: The trial; its newest report is the last of `curves[number]`.
            curves: Reports of all trials, itself included.
            done: Trials that came to their end.
        """

    def promoted(self, curves: Curves, paused: Collection[int], *, last: bool) -> int | None:
        """A paused trial that is to go on now; None where there is none.

        Args:
            curves: Reports of all trials.
            paused: Trials that were paused.
            last: No trial runs, and no new one will come.
        """
        return None


def one_metric(rule: str, metric: str | None, objectives: Mapping[str, str]) -> tuple[str, str]:
    """The metric that a rule looks at, and which way is better. Raises RecipeError."""
    if metric is None and len(objectives) == 1:
        metric = next(iter(objectives))
    if metric is None:
        raise RecipeError(
            f"stopper `{rule}` looks at one metric, and there are {len(objectives)} objectives",
            where="tune.stop",
            fix=f"name one, {{name: {rule}, metric: {next(iter(objectives))}}}, or use `front`",
        )
    if metric not in objectives:
        raise RecipeError(
            f"stopper `{rule}` does not know which way `{metric}` is better",
            where="tune.stop",
            fix=f"use one of the objectives: {', '.join(objectives)}",
        )
    return metric, objectives[metric]
