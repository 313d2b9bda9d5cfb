"""The tables of a study: one row for the study, one for each trial, one for each evaluation of a trial."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    text,
)

from trainwright.recipe.space import Point, point_key
from trainwright.tune.curve import Report
from trainwright.tune.trial import Trial, TrialState

FORMAT = 3

METADATA = MetaData()

STUDIES = Table(
    "studies",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("format", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("recipe", Text, nullable=False),  # resolved, with its tune section, as JSON
    Column("limit", Integer),  # of trials; null where there is none
    Column("ended", Integer, nullable=False, default=0),  # trials that have ended, ever
    Column("changes", Integer, nullable=False, default=0),  # counts every write
    Column("seconds", Float, nullable=False, default=0.0),  # worked, over all attempts
)

TRIALS = Table(
    "trials",
    METADATA,
    Column("study", String(200), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("point", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("result", Text),  # a list of one number per objective
    Column("known", Integer, nullable=False),
    Column("ended", Integer),
    Column("token", Integer, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("run", Text, nullable=False),
    Column("reused", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("started", Float, nullable=False),
    Column("change", Integer, nullable=False),  # the study's count at its last write
    Column("grid_key", String(64)),  # digest of a grid's point, which is there once; null for other searches
    Column("epochs", Integer),  # evaluated
    Column("details", Text),  # what else was measured, as JSON
    Column("threads", Integer),  # compute threads of its runs, wherever they go on
    UniqueConstraint("study", "grid_key"),
    Index("trials_by_change", "study", "change"),
    Index("trials_by_state", "study", "state", "number"),
)

REPORTS = Table(
    "reports",
    METADATA,
    Column("study", String(200), primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("step", Integer, nullable=False),
    Column("metrics", Text, nullable=False),  # name -> value, as JSON
    Column("change", Integer, nullable=False),
    Index("reports_by_change", "study", "change"),
)

_ADDED = ("epochs INTEGER", "details TEXT", "threads INTEGER")
_MAKING = 0x74726E77  # an advisory lock of PostgreSQL's, which knows no CREATE that waits for another one


@dataclass(frozen=True)
class StudyRow:
    """What is kept of the study itself.

    Attributes:
        name: Its name.
        recipe: The resolved recipe, with its `tune` section.
        limit: Trials to make, None where there is no limit.
        ended: How many trials have ended, ever; one that is taken up again counts again.
        seconds: Working time of all its trials.
    """

    name: str
    recipe: dict[str, Any]
    limit: int | None
    ended: int
    seconds: float


def make_tables(connection: Connection) -> None:
    """Makes what is missing of the tables; a study of an earlier layout gets the columns of this one."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING})"))
    METADATA.create_all(connection)
    there = {column["name"] for column in inspect(connection).get_columns("trials")}
    for column in _ADDED:
        if column.split()[0] not in there:
            connection.execute(text(f"ALTER TABLE trials ADD COLUMN {column}"))


def report_of(row: Any, decode: Any) -> Report:
    """A row as a report; `decode` reads JSON."""
    return Report(row.epoch, row.step, decode(row.metrics))


def grid_digest(point: Point) -> str:
    """What a grid's point is recognised by."""
    return hashlib.sha256(point_key(point).encode()).hexdigest()


def row_of(trial: Trial, study: str, ended: int, change: int, once: bool) -> dict[str, Any]:
    """An ended trial as a row of another study."""
    return {
        **{"study": study, "number": trial.number, "point": json.dumps(trial.point)},
        **{"state": trial.state.value, "known": trial.known, "ended": ended, "token": trial.token},
        **{"result": None if trial.values is None else json.dumps(list(trial.values))},
        **{"owner": trial.owner, "lease_until": 0.0, "deaths": trial.deaths, "retries": trial.retries},
        **{"run": trial.run, "reused": trial.reused, "reason": trial.reason, "seconds": trial.seconds},
        **{"started": 0.0, "change": change, "grid_key": grid_digest(trial.point) if once else None},
        **{"epochs": trial.epochs, "details": json.dumps(dict(trial.details)) if trial.details else None},
        "threads": trial.threads,
    }


def trial_of(row: Any, decode: Any) -> Trial:
    """A row as a trial; `decode` reads JSON."""
    values = None if row.result is None else tuple(decode(row.result))
    return Trial(
        number=row.number,
        point=decode(row.point),
        state=TrialState(row.state),
        values=values,
        known=row.known,
        ended=row.ended,
        token=row.token,
        owner=row.owner,
        lease_until=row.lease_until,
        deaths=row.deaths,
        retries=row.retries,
        run=row.run,
        reused=bool(row.reused),
        reason=row.reason,
        seconds=row.seconds,
        epochs=row.epochs,
        details=decode(row.details) if row.details else {},
        threads=row.threads,
    )
