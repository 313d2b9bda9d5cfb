"""Curves come from the index where it has them as they are, and are those of the spool either way."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.curves import read_curves
from trainwright.runs.index.syncing import bring_up_to_date, open_index
from trainwright.runs.spool import Spool

Runs = list[RunDirectory]


def log_more(run: RunDirectory) -> None:
    with Spool(run.metrics_file) as spool:
        spool.log(30, 2, {"train/loss": math.nan, "val/loss": 0.25, "lr": 0.1})


def settle(place: str, runs_dir: Path) -> None:
    """Brings the index up to date until no file is so new that it might change within the clock's tick."""
    bring_up_to_date(place, runs_dir)
    index = open_index(place, runs_dir)
    while not all(entry.signature for entry in index.entries().values()):
        bring_up_to_date(place, runs_dir)
    index.close()


def test_they_equal_the_spools_and_are_read_from_the_index(
    place: str, runs_dir: Path, many_runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_more(many_runs[1])
    expected = [run.metrics() for run in many_runs]
    assert list(expected[1]) == ["train/loss", "val/loss", "lr"]
    settle(place, runs_dir)
    monkeypatch.setattr(RunDirectory, "metrics", lambda run: pytest.fail(f"the spool of {run.id} was read"))
    found = read_curves(many_runs, runs_dir)
    # A NaN equals no other.
    assert [str(dict(sorted(item.items()))) for item in found] == [
        str(dict(sorted(item.items()))) for item in expected
    ]


def test_what_the_index_lacks_is_read_from_the_spool(place: str, runs_dir: Path, many_runs: Runs) -> None:
    bring_up_to_date(place, runs_dir)
    log_more(many_runs[5])
    assert [step for step, _ in read_curves(many_runs, runs_dir)[5]["train/loss"]] == [10, 20, 30]


def test_there_need_be_no_index(runs_dir: Path, many_runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_INDEX", "none")
    assert read_curves(many_runs[:1], runs_dir) == [{"train/loss": [(10, 1.0), (20, 0.5)]}]
