"""What a sink is given: a run's facts, its points, and how it ended."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.errors import MissingExtra


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric.

    Attributes:
        name: Such as `val/accuracy`.
        step: Optimizer steps done.
        value: Also NaN or infinite.
        epoch: Epoch that the step belongs to.
        time: Seconds since 1970.
    """

    name: str
    step: int
    value: float
    epoch: float
    time: float


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run before its first value.

    Attributes:
        id: `<name>-<salt>`.
        name: Of the recipe.
        path: The run directory.
        created: Seconds since 1970.
        parameters: Every value of the recipe by key path: texts, numbers, booleans, None.
        tags: Salt, git commit, parents ... as texts.
        recipe: The recipe as the user gave it.
    """

    id: str
    name: str
    path: Path
    created: float
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    recipe: str = ""


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        state: `done`, `interrupted` or `failed`.
        step: Optimizer steps done.
        time: Seconds since 1970.
        metrics: Those of the best weights, such as `test/accuracy`.
        figures: PNG files of the report.
        report: The report's page, where there is one.
    """

    state: str
    step: int
    time: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    figures: Sequence[Path] = ()
    report: Path | None = None


class Sink(ABC):
    """Another tracker. Its methods are called in a process of their own, and may raise or block.

    A call that raised, or during which the process died, is made again later, with the same values.
    """

    @abstractmethod
    def open(self, run: RunFacts, memory: Mapping[str, Any]) -> None:
        """Begins, or goes on with, a run.

        Args:
            run: The run.
            memory: What `memory` gave with the last points that were kept; empty for a new run.
        """

    @abstractmethod
    def write(self, points: Sequence[Point]) -> None:
        """Keeps points, in their order. Steps that were repeated with equal values are not given."""

    def memory(self) -> dict[str, Any]:
        """What a later process must know to go on, as JSON holds it."""
        return {}

    def rewind(self, step: int) -> bool:
        """Whether it forgot all points from a step on, since training went back to before it.

        Where it did, all points are given anew; else those alone that became others.
        """
        return False

    def finish(self, ending: Ending) -> None:  # noqa: B027 - a sink may have no use for it
        """The run ended; after a resume it may be opened again."""

    def close(self) -> None:  # noqa: B027 - nor for this
        """Nothing more comes from this process."""


def need(package: str) -> None:
    """Raises MissingExtra where a sink's package is not installed; imports nothing."""
    if importlib.util.find_spec(package) is None:
        raise MissingExtra(package, "track")
