"""The study on disk: trials, leases and results, each committed once.

A trial is worked on under a lease with a fencing token. Whoever takes the trial up after the lease has
expired gets the next token, and a result is only written under the present token within the lease: so
a process that was paused, or cut off, cannot write late. All times are seconds since the epoch.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from trainwright.errors import RunError
from trainwright.recipe.space import Point
from trainwright.tune.curve import Curve, Report
from trainwright.tune.statements import (
    ADD,
    CHANGED,
    COUNT,
    ENDED,
    FINISH,
    FORGET,
    FREE,
    HELD,
    REPORT,
    REPORTED,
)
from trainwright.tune.tables import (
    FORMAT,
    STUDIES,
    TRIALS,
    StudyRow,
    grid_digest,
    make_tables,
    report_of,
    row_of,
    trial_of,
)
from trainwright.tune.trial import Trial, TrialState
from trainwright.tune.writer import Writer, open_engine


class Store:
    """One study in a database.

    Args:
        place: A file for SQLite, or a URL such as `postgresql://host/database`.
        name: The study; a file holds one, and then None finds it.
        clock: The time.
    """

    def __init__(
        self, place: str | Path, name: str | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.place, self._clock = str(place), clock
        self._writer = Writer(open_engine(place))
        try:
            self._writer.do(make_tables)
            self.name = name if name is not None else self._only_name()
        except BaseException:
            self._writer.close()
            raise
        self._known: dict[int, Trial] = {}
        self._seen = 0
        self._curves: dict[int, Curve] = {}
        self._reports_seen = 0

    def close(self) -> None:
        """Commits what waits and closes the file."""
        self._writer.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create(self, recipe: Mapping[str, Any], limit: int | None) -> StudyRow:
        """Makes the study where there is none; gives the one that is there."""

        def work(connection: Connection) -> None:
            if self._row(connection) is None:
                values = {"name": self.name, "format": FORMAT, "created": self._clock(), "limit": limit}
                text = json.dumps(recipe)
                connection.execute(
                    insert(STUDIES).values(recipe=text, ended=0, changes=0, seconds=0.0, **values)
                )

        with contextlib.suppress(IntegrityError):  # another process made it at the same moment
            self._writer.do(work)
        return self.study()

    def replace(self, recipe: Mapping[str, Any], limit: int | None) -> StudyRow:
        """Another recipe for a study without trials; one that has any stays. Gives what is there then."""

        def work(connection: Connection) -> None:
            any_trial = select(TRIALS.c.number).where(TRIALS.c.study == self.name).exists()
            query = update(STUDIES).where(STUDIES.c.name == self.name, ~any_trial)
            connection.execute(query.values(recipe=json.dumps(recipe), limit=limit))

        self._writer.do(work)
        return self.study()

    def study(self) -> StudyRow:
        """The study. Raises RunError where there is none."""
        row = self._writer.do(self._row)
        if row is None:
            raise RunError("there is no such study", where=f"{self.place}: {self.name}")
        if row.format > FORMAT:
            raise RunError(
                f"the study was written by a newer version (layout {row.format}, this one knows {FORMAT})",
                where=self.place,
                fix="update trainwright",
            )
        return StudyRow(row.name, json.loads(row.recipe), row.limit, row.ended, row.seconds)

    def set_limit(self, limit: int | None) -> None:
        """Another number of trials to make."""
        query = update(STUDIES).where(STUDIES.c.name == self.name).values(limit=limit)
        self._writer.do(lambda connection: connection.execute(query).rowcount)

    def trials(self) -> list[Trial]:
        """All trials by number. Reads what has changed since the last call."""
        since = {"study_": self.name, "seen": self._seen}
        for row in self._writer.do(lambda connection: connection.execute(CHANGED, since).all()):
            self._known[row.number] = trial_of(row, json.loads)
            self._seen = max(self._seen, row.change)
        return [self._known[number] for number in sorted(self._known)]

    def curves(self) -> dict[int, Curve]:
        """Reports of every trial that has any. Reads what has changed since the last call."""
        since = {"study_": self.name, "seen": self._reports_seen}
        for row in self._writer.do(lambda connection: connection.execute(REPORTED, since).all()):
            report = report_of(row, json.loads)
            others = [other for other in self._curves.get(row.trial, ()) if other.epoch != report.epoch]
            self._curves[row.trial] = tuple(sorted([*others, report], key=lambda item: item.epoch))
            self._reports_seen = max(self._reports_seen, row.change)
        return dict(self._curves)

    def add(
        self,
        number: int,
        point: Point,
        *,
        owner: str,
        lease: float,
        known: int,
        once: bool = False,
        threads: int | None = None,
    ) -> Trial | None:
        """A new trial, leased.

        Args:
            number: The next number.
            point: What is tried.
            owner: Who works on it.
            lease: Seconds until somebody else may.
            known: How many trials had ended when the point was chosen.
            once: The point is one of a grid, and there only once.
            threads: Compute threads of its runs.

        Returns:
            The trial; None where another process has added this number, or this point, before.
        """
        now = self._clock()
        values = {
            **{"study": self.name, "number": number, "point": json.dumps(point), "known": known},
            **{"state": TrialState.RUNNING.value, "token": 1, "owner": owner, "lease_until": now + lease},
            **{"deaths": 0, "retries": 0, "run": "", "reused": False, "reason": "", "seconds": 0.0},
            **{"started": now, "grid_key": grid_digest(point) if once else None},
            "threads": threads,
        }

        def work(connection: Connection) -> Trial:
            change = self._count(connection)
            return trial_of(connection.execute(ADD, {"change": change, **values}).one(), json.loads)

        try:
            return self._writer.do(work)
        except IntegrityError:
            return None

    def take(self, owner: str, lease: float, avoid: Sequence[int] = ()) -> Trial | None:
        """Leases the first trial that waits, or whose lease has expired.

        Args:
            owner: Who works on it.
            lease: Seconds until somebody else may.
            avoid: Numbers that are left alone.
        """

        def work(connection: Connection) -> Trial | None:
            now = self._clock()
            free = {"study_": self.name, "now_": now, "avoid": list(avoid)}
            number = connection.execute(FREE, free).scalar()
            if number is None:
                return None
            values = {"state": TrialState.RUNNING.value, "owner": owner, "lease_until": now + lease}
            return self._change(connection, number, started=now, token=TRIALS.c.token + 1, **values)

        return self._writer.do(work)

    def renew(self, number: int, token: int, lease: float) -> bool:
        """Prolongs a lease; False where it is lost."""

        def work(connection: Connection) -> bool:
            """Writes the end of the trial; False where the lease is lost."""
            now = self._clock()
            query = update(TRIALS).where(*self._held(number, token, now)).values(lease_until=now + lease)
            return connection.execute(query).rowcount == 1

        return self._writer.do(work)

    def report(self, number: int, token: int, report: Report) -> bool:
        """Keeps an evaluation; False, and nothing is written, where the lease is lost."""

        def work(connection: Connection) -> bool:
            """Writes the report; False where the lease is lost."""
            lease = {"study_": self.name, "number_": number, "token_": token, "now_": self._clock()}
            if connection.execute(HELD, lease).scalar() is None:
                return False
            self._keep(connection, number, [report], self._count(connection))
            return True

        return self._writer.do(work)

    def finish(
        self,
        number: int,
        token: int,
        state: TrialState,
        values: Sequence[float] | None = None,
        *,
        run: str = "",
        reused: bool = False,
        reason: str = "",
        curve: Sequence[Report] = (),
        details: Mapping[str, Any] | None = None,
    ) -> bool:
        """Commits how a trial ended, or that it was paused.

        Args:
            number: The trial.
            token: Of the lease.
            state: How it ended.
            values: One number per objective.
            run: Directory of its run.
            reused: The run was done before.
            reason: Why it failed, was stopped or paused.
            curve: Its evaluations, those that are kept already among them or not.
            details: What else was measured.

        Returns:
            False, and nothing is written, where the lease is lost.
        """
        assert state.ended
        result = None if values is None else json.dumps(list(values))

        def work(connection: Connection) -> bool:
            """Writes the end of the trial; False where the lease is lost."""
            now = self._clock()
            lease = {"study_": self.name, "number_": number, "token_": token, "now_": now}
            started = connection.execute(HELD, lease).scalar()
            if started is None:
                return False
            seconds = max(0.0, now - started)
            values = {"name_": self.name, "spent": seconds}
            ended, change = connection.execute(ENDED, values).one()
            outcome = {"new_ended": ended, "new_change": change, "new_state": state.value, "new_run": run}
            outcome |= {"new_result": result, "new_reused": reused, "new_reason": reason}
            outcome |= {"new_seconds": seconds, "study_": self.name, "number_": number}
            epochs = max((report.epoch for report in curve), default=None)
            outcome |= {"new_epochs": epochs, "new_details": json.dumps(details) if details else None}
            connection.execute(FINISH, outcome)
            self._keep(connection, number, curve, change)
            return True

        return self._writer.do(work)

    def release(self, number: int, token: int, reason: str, *, died: bool = False) -> bool:
        """Gives a trial back to wait; False where the lease is lost.

        Args:
            number: The trial.
            token: Of the lease, which may have expired as long as nobody else has taken the trial.
            reason: Why, in words.
            died: The process that worked on it died.
        """

        def work(connection: Connection) -> bool:
            """Lets the trial wait again; False where the lease is lost."""
            held = select(TRIALS.c.started).where(*self._held(number, token, 0.0)).with_for_update()
            started = connection.execute(held).scalar()
            if started is None:
                return False
            spent = STUDIES.c.seconds + max(0.0, self._clock() - started)
            connection.execute(update(STUDIES).where(STUDIES.c.name == self.name).values(seconds=spent))
            deaths = TRIALS.c.deaths + int(died)
            waiting = {"state": TrialState.WAITING.value, "reason": reason, "lease_until": 0.0}
            self._change(connection, number, deaths=deaths, **waiting)
            return True

        return self._writer.do(work)

    def retry_failed(self) -> list[int]:
        """Lets every failed trial wait to be tried again; gives their numbers."""

        def work(connection: Connection) -> list[int]:
            failed = and_(TRIALS.c.study == self.name, TRIALS.c.state == TrialState.FAILED.value)
            numbers = list(connection.execute(select(TRIALS.c.number).where(failed)).scalars())
            for number in numbers:
                again = {"state": TrialState.WAITING.value, "ended": None, "reason": "to be tried again"}
                self._change(connection, number, retries=TRIALS.c.retries + 1, deaths=0, **again)
            return numbers

        return self._writer.do(work)

    def adopt(self, trials: Sequence[tuple[Trial, Curve]], *, once: bool) -> None:
        """Takes over the ended trials of other studies; this one must be empty.

        Args:
            trials: With their curves, numbered from 0.
            once: The points are those of a grid, and there only once.
        """

        def work(connection: Connection) -> None:
            for trial, curve in trials:
                seconds = {"name_": self.name, "spent": trial.seconds}
                ended, change = connection.execute(ENDED, seconds).one()
                connection.execute(insert(TRIALS), row_of(trial, self.name, ended, change, once))
                self._keep(connection, trial.number, curve, change)

        self._writer.do(work)

    def go_on(
        self, number: int, owner: str, lease: float, state: TrialState = TrialState.PAUSED
    ) -> Trial | None:
        """Leases a paused trial, or one that ended otherwise; None where that is no longer its state."""

        def work(connection: Connection) -> Trial | None:
            where = and_(TRIALS.c.study == self.name, TRIALS.c.number == number)
            paused = select(TRIALS.c.state).where(where).with_for_update()
            if connection.execute(paused).scalar() != state.value:
                return None
            now = self._clock()
            values = {"state": TrialState.RUNNING.value, "owner": owner, "lease_until": now + lease}
            return self._change(connection, number, started=now, token=TRIALS.c.token + 1, **values)

        return self._writer.do(work)

    def _keep(self, connection: Connection, number: int, curve: Sequence[Report], change: int) -> None:
        """Writes reports, over those of the same epochs."""
        rows = [{"study_": self.name, "number_": number, "epoch_": report.epoch} for report in curve]
        if rows:
            connection.execute(FORGET, rows)
            known = {"study": self.name, "trial": number, "change": change}
            values = [
                {**known, "epoch": item.epoch, "step": item.step, "metrics": json.dumps(dict(item.values))}
                for item in curve
            ]
            connection.execute(REPORT, values)

    def _held(self, number: int, token: int, now: float) -> tuple[Any, ...]:
        """Conditions of holding a lease now."""
        return (
            TRIALS.c.study == self.name,
            TRIALS.c.number == number,
            TRIALS.c.token == token,
            TRIALS.c.state == TrialState.RUNNING.value,
            TRIALS.c.lease_until > now,
        )

    def _change(self, connection: Connection, number: int, **values: Any) -> Trial:
        change = self._count(connection)
        where = and_(TRIALS.c.study == self.name, TRIALS.c.number == number)
        query = update(TRIALS).where(where).values(change=change, **values).returning(TRIALS)
        return trial_of(connection.execute(query).one(), json.loads)

    def _count(self, connection: Connection) -> int:
        return connection.execute(COUNT, {"name_": self.name}).scalar_one()

    def _row(self, connection: Connection) -> Any:
        return connection.execute(select(STUDIES).where(STUDIES.c.name == self.name)).one_or_none()

    def _only_name(self) -> str:
        names = self._writer.do(lambda connection: connection.execute(select(STUDIES.c.name)).scalars().all())
        if len(names) == 1:
            return str(names[0])
        what = f"{len(names)} studies are here" if names else "there is no study here"
        fix = f"name one of: {', '.join(names)}" if names else "start one with `trainwright tune RECIPE`"
        raise RunError(what, where=self.place, fix=fix)
