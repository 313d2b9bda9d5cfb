"""One trial of a study: a point of the space, who works on it, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainwright.recipe.space import Point


class TrialState(StrEnum):
    """Where a trial stands.

    A `running` one whose lease has expired is taken up like a waiting one. A `paused` one goes on only where
    the rule that paused it says so.
    """

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self not in (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True)
class Trial:
    """A row of the study.

    Attributes:
        number: From 0, in the order in which the points were chosen.
        point: Key path -> value.
        state: Where it stands.
        values: One number per objective, in the study's order; None while there is none. Of a trial that was
            stopped or paused they are those of its last evaluation.
        known: How many trials had ended when the point was chosen: what the search knew.
        ended: Its place in the order in which trials ended or were paused, from 1; None while it has not.
        token: Fencing token: how often it was leased.
        owner: Who holds the lease.
        lease_until: Seconds since the epoch.
        deaths: How often a process that worked on it died.
        retries: How often it was taken up again after it failed.
        run: Directory of its run.
        reused: The run was done before the trial began.
        reason: Why it failed, was stopped or waits, in words.
        seconds: Working time, from the lease to the result, of the last attempt.
        epochs: Epochs that were evaluated; None where nothing was told of them.
        details: What else was measured, as plain data: `constraints` and `intervals` by name, `each` with the
            objectives of every seed, and the `runs` behind them.
        threads: Compute threads that its runs have, whoever works on them; None where the recipe says.
    """

    number: int
    point: Point
    state: TrialState = TrialState.WAITING
    values: tuple[float, ...] | None = None
    known: int = 0
    ended: int | None = None
    token: int = 0
    owner: str = ""
    lease_until: float = 0.0
    deaths: int = 0
    retries: int = 0
    run: str = ""
    reused: bool = False
    reason: str = ""
    seconds: float = 0.0
    epochs: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
