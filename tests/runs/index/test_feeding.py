"""A run feeds the index while it works, and nothing that happens to the index reaches the run."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from trainwright.errors import UserError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.index import feeding as module
from trainwright.runs.index.feeding import feeding
from trainwright.runs.index.place import VARIABLE, index_place
from trainwright.runs.index.syncing import bring_up_to_date, open_index
from trainwright.runs.metrics import Series
from trainwright.runs.record import RunState
from trainwright.runs.spool import Spool

MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def working(make_run: MakeRun) -> RunDirectory:
    return make_run(state=RunState.RUNNING, accuracy=None)


def work(run: RunDirectory, steps: int = 100) -> None:
    record = run.record()
    record.begin(from_step=20)
    run.save(record)
    with Spool(run.metrics_file, attempt=2) as spool:
        for step in range(21, 21 + steps):
            spool.log(step, 1, {"train/loss": 1 / step})
    record.end(RunState.DONE, "the end")
    run.save(record)


def curves(place: str, run: RunDirectory) -> Series:
    index = open_index(place, run.path.parent)
    try:
        return index.series(index.numbers([run.id])[run.id])
    finally:
        index.close()


def test_the_index_ends_equal_to_the_spool(place: str, working: RunDirectory) -> None:
    with feeding(working):
        work(working)
    assert curves(place, working) == working.metrics()
    assert len(working.metrics()["train/loss"]) == 102
    index = open_index(place, working.path.parent)
    assert index.field("state")[index.entries()[working.id].number] == "done"
    index.close()


def test_a_locked_index_holds_up_nothing_and_is_caught_up(
    working: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(working.path.parent / ".index.sqlite")
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    monkeypatch.setattr(module, "_LAST", 0.5)
    bring_up_to_date(place, working.path.parent)
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    with feeding(working):
        work(working)
    assert time.monotonic() - begun < 5
    other.execute("ROLLBACK")
    other.close()
    bring_up_to_date(place, working.path.parent)
    assert curves(place, working) == working.metrics()


@pytest.mark.parametrize("where", ["postgresql://nobody@127.0.0.1:1/nothing", "{folder}/no/such/index"])
def test_an_index_that_is_gone_does_not_stop_a_run(
    working: RunDirectory, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv(VARIABLE, where.format(folder=working.path.parent))
    if where.startswith("postgresql"):
        pytest.importorskip("psycopg")
    monkeypatch.setattr(module, "_LAST", 0.5)
    with feeding(working):
        work(working)
    assert len(working.metrics()["train/loss"]) == 102


def test_none_means_no_index(working: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "none")
    with feeding(working):
        work(working)
    assert sorted(path.name for path in working.path.parent.iterdir()) == [working.id]


def test_another_address_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "mysql://host/runs")
    with pytest.raises(UserError, match="no address"):
        index_place("runs")


def test_by_default_it_is_a_file_in_the_runs_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert index_place(Path("somewhere")) == str(Path("somewhere") / ".index.sqlite")
