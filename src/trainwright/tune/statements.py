"""What is asked of the tables for every trial.

Built once: to build a statement takes SQLAlchemy longer than SQLite takes to run it.
"""

from __future__ import annotations

from sqlalchemy import Float, and_, bindparam, delete, insert, or_, select, update

from trainwright.tune.tables import REPORTS, STUDIES, TRIALS
from trainwright.tune.trial import TrialState

COUNT = (
    update(STUDIES)
    .where(STUDIES.c.name == bindparam("name_"))
    .values(changes=STUDIES.c.changes + 1)
    .returning(STUDIES.c.changes)
)
ENDED = (
    update(STUDIES)
    .where(STUDIES.c.name == bindparam("name_"))
    .values(
        ended=STUDIES.c.ended + 1,
        changes=STUDIES.c.changes + 1,
        seconds=STUDIES.c.seconds + bindparam("spent", type_=Float),
    )
    .returning(STUDIES.c.ended, STUDIES.c.changes)
)
THIS = and_(TRIALS.c.study == bindparam("study_"), TRIALS.c.number == bindparam("number_"))
HELD = (
    select(TRIALS.c.started)
    .where(
        THIS,
        TRIALS.c.token == bindparam("token_"),
        TRIALS.c.state == TrialState.RUNNING.value,
        TRIALS.c.lease_until > bindparam("now_"),
    )
    .with_for_update()
)
FINISH = (
    update(TRIALS)
    .where(THIS)
    .values(
        lease_until=0.0,
        **{
            name: bindparam(f"new_{name}")
            for name in (
                *("ended", "change", "state", "run", "result", "reused", "reason", "seconds"),
                *("epochs", "details"),
            )
        },
    )
)
CHANGED = select(TRIALS).where(TRIALS.c.study == bindparam("study_"), TRIALS.c.change > bindparam("seen"))
REPORTED = (
    select(REPORTS)
    .where(REPORTS.c.study == bindparam("study_"), REPORTS.c.change > bindparam("seen"))
    .order_by(REPORTS.c.trial, REPORTS.c.epoch)
)
FORGET = delete(REPORTS).where(
    REPORTS.c.study == bindparam("study_"),
    REPORTS.c.trial == bindparam("number_"),
    REPORTS.c.epoch == bindparam("epoch_"),
)
REPORT = insert(REPORTS)
ADD = insert(TRIALS).returning(TRIALS)
FREE = (
    select(TRIALS.c.number)
    .where(
        TRIALS.c.study == bindparam("study_"),
        or_(
            TRIALS.c.state == TrialState.WAITING.value,
            and_(TRIALS.c.state == TrialState.RUNNING.value, TRIALS.c.lease_until <= bindparam("now_")),
        ),
        TRIALS.c.number.not_in(bindparam("avoid", expanding=True)),
    )
    .order_by(TRIALS.c.number)
    .limit(1)
    .with_for_update(skip_locked=True)
)
