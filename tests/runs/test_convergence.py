"""How soon a run converged, alone and in tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trainwright.runs.convergence import convergence
from trainwright.runs.directory import RunDirectory
from trainwright.runs.events import append_event
from trainwright.runs.index.listing import indexed_runs
from trainwright.runs.index.place import index_place
from trainwright.runs.listing import headline, row
from trainwright.runs.record import RunRecord
from trainwright.runs.selecting import Query, condition


def scored(run: RunDirectory, best: int | None) -> RunRecord:
    """Three epochs of ten steps, the last one done again by a second attempt."""
    record = run.record()
    record.begin(from_step=20)
    record.best = {} if best is None else {"step": best, "monitor": "val/accuracy", "value": 0.5}
    run.save(record)
    for epoch, attempt, elapsed in ((1, 1, 5.0), (2, 1, 9.0), (3, 1, 13.0), (3, 2, 21.0)):
        append_event(run.ledger, 10 * epoch, attempt, {"epoch": epoch, "elapsed": elapsed, "seconds": {}})
    return record


@pytest.mark.parametrize(
    ("best", "epochs", "seconds"), [(1, 1, 5.0), (10, 1, 5.0), (11, 2, 9.0), (30, 3, 21.0)]
)
def test_it_is_told_by_the_epoch_of_the_best(
    make_run: Callable[..., RunDirectory], best: int, epochs: int, seconds: float
) -> None:
    run = make_run()
    expected = {"run/steps_to_best": best, "run/epochs_to_best": epochs, "run/seconds_to_best": seconds}
    assert convergence(run, scored(run, best)) == expected


def test_what_nobody_wrote_down_is_not_told(make_run: Callable[..., RunDirectory]) -> None:
    run = make_run()
    assert convergence(run, scored(run, 31)) == {"run/steps_to_best": 31}
    assert convergence(run, scored(run, None)) == {}


def test_runs_are_found_and_ordered_by_it(make_run: Callable[..., RunDirectory], runs_dir: Path) -> None:
    for salt, best in (("a" * 10, 30), ("b" * 10, 10), ("c" * 10, 20)):
        scored(make_run(salt=salt), best)
    query = Query((condition("run/epochs_to_best<3"),), "run/seconds_to_best", False, ("run/steps_to_best",))
    found, _ = indexed_runs(str(index_place(runs_dir)), runs_dir, query)
    assert [(item.row.id[-1], item["run/steps_to_best"]) for item in found] == [("b", 10), ("c", 20)]


def test_it_is_no_metric_to_show_first(make_run: Callable[..., RunDirectory]) -> None:
    run = make_run(accuracy=None)
    scored(run, 10)
    assert next(iter(headline(row(run).metrics))) == "train/loss"
