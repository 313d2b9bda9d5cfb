"""What the page of a study is made of, as plain data; nothing here knows how it was searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainwright.metrics.arrays import Floats


@dataclass(frozen=True)
class Axis:
    """One dimension of the space.

    Attributes:
        name: Key path.
        choices: Texts of its values where it has choices; empty for a range.
        low: Smallest value of a range.
        high: Largest value of a range.
        log: Whether it was searched by its logarithm.
    """

    name: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False

    def place(self, value: Any) -> float:
        """Where a value lies, from 0 to 1; NaN where the dimension was not active."""
        if value is None:
            return float("nan")
        if self.choices:
            return self.choices.index(value) / max(1, len(self.choices) - 1)
        low, high, value = np.log([self.low, self.high, value]) if self.log else (self.low, self.high, value)
        return float((value - low) / ((high - low) or 1.0))


@dataclass(frozen=True)
class Tried:
    """One trial.

    Attributes:
        number: From 0.
        state: `done`, `stopped` ...
        values: One per objective; None where there are none.
        point: Dimension -> number, or the text of a choice; those that were active.
        on_front: The best, or on the Pareto front.
        why_tried: In words.
        why_ended: In words; empty for one that came to its end.
        run: Directory of its run.
        seconds: Working time.
        epochs: Epochs that were trained.
        intervals: Objective -> lower and upper end.
        curve: Epochs and first objective.
    """

    number: int
    state: str
    values: tuple[float, ...] | None
    point: Mapping[str, Any]
    on_front: bool = False
    why_tried: str = ""
    why_ended: str = ""
    run: str = ""
    seconds: float = 0.0
    epochs: int | None = None
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)
    curve: Sequence[tuple[int, float]] = ()


@dataclass(frozen=True)
class StudyContents:
    """A study.

    Attributes:
        name: Its name.
        objectives: Objective -> `maximize` or `minimize`.
        axes: Dimensions of the space.
        trials: By number.
        facts: Word -> text, about the study.
        place: Where it is kept.
    """

    name: str
    objectives: Mapping[str, str]
    axes: Sequence[Axis]
    trials: Sequence[Tried]
    facts: Mapping[str, str] = field(default_factory=dict)
    place: str = ""

    @property
    def done(self) -> list[Tried]:
        """Trials that came to their end with values."""
        return [trial for trial in self.trials if trial.state == "done" and trial.values is not None]

    def places(self, trials: Sequence[Tried]) -> Floats:
        """Where each trial lies in each dimension `[N, D]`, NaN where one was not active."""
        rows = [[axis.place(trial.point.get(axis.name)) for axis in self.axes] for trial in trials]
        return np.array(rows, dtype=np.float64).reshape(len(trials), len(self.axes))
