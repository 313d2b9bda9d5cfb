"""The table from the index is the one from the directories, whatever was done to them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from trainwright.errors import UserError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.listing import ids_within, indexed_runs
from trainwright.runs.labels import Labels, write_labels
from trainwright.runs.listing import all_runs, rows
from trainwright.runs.selecting import Query, condition, known

Runs = list[RunDirectory]
KEYS = ("test/accuracy", "train.optimizer.lr", "state")


def from_directories(runs_dir: Path, keys: Sequence[str] = KEYS) -> list[str]:
    directories = all_runs(runs_dir)
    found = known(directories, rows(directories), keys)
    return [f"{run.row} {[run[key] for key in keys]}" for run in found]


def from_index(place: str, runs_dir: Path, keys: Sequence[str] = KEYS) -> list[str]:
    found, _ = indexed_runs(place, runs_dir, Query(columns=tuple(keys)), complete=True)
    return [f"{run.row} {[run[key] for key in keys]}" for run in found]


def test_the_same_rows_in_the_same_order(place: str, runs_dir: Path, many_runs: Runs) -> None:
    expected = from_directories(runs_dir)
    assert from_index(place, runs_dir) == expected
    assert from_index(place, runs_dir) == expected  # also when nothing has to be read any more


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("sort", ["", "test/accuracy", "train.optimizer.lr", "state", "created", "tags"])
@pytest.mark.parametrize(
    "where", ["state=done", "test/accuracy>=0.2", "tags=best", "note!=x", "epoch<5", "id!=x"]
)
def test_the_same_runs_are_chosen_in_the_same_order(
    place: str, runs_dir: Path, many_runs: Runs, where: str, sort: str, falling: bool
) -> None:
    write_labels(many_runs[1], Labels(("a", "best"), "the first"))
    write_labels(many_runs[3], Labels(("best",), "x"))
    query = Query((condition(where),), sort, falling, ("path", "note"))
    directories = all_runs(runs_dir)
    with many_runs[6].acquire():
        there = known(directories, rows(directories), query.keys)
        expected = query.choose(there, lambda run, key: run[key])
        found, count = indexed_runs(place, runs_dir, query, complete=True)
    assert [run.row.id for run in found] == [run.row.id for run in expected] and count == len(many_runs)
    assert [run["path"] for run in found] == [run["path"] for run in expected]


def evaluated_anew(run: RunDirectory) -> None:
    (run.evaluation("test") / "metrics.json").write_text('{"accuracy": 0.123}')


def evaluated_on_more(run: RunDirectory) -> None:
    run.evaluation("extra").mkdir()
    (run.evaluation("extra") / "metrics.json").write_text('{"accuracy": 0.123}')


def edited_in_place(run: RunDirectory) -> None:
    text = run.record_file.read_text()
    times = run.record_file.stat()
    with run.record_file.open("r+") as file:
        file.write(text.replace('"step": 20', '"step": 21'))
    os.utime(run.record_file, ns=(times.st_atime_ns, times.st_mtime_ns))  # as rsync and tar do


def edited_recipe(run: RunDirectory) -> None:
    run.resolved.write_text(run.resolved.read_text().replace("0.01", "0.5"))


def deleted(run: RunDirectory) -> None:
    shutil.rmtree(run.path)


def renamed(run: RunDirectory) -> None:
    run.path.rename(run.path.with_name("by-hand"))


def copied(run: RunDirectory) -> None:
    shutil.copytree(run.path, run.path.with_name("copy"))


def damaged(run: RunDirectory) -> None:
    run.record_file.write_text("{")


def went_on(run: RunDirectory) -> None:
    record = run.record()
    record.begin(from_step=20)
    record.progress["step"] = 25
    run.save(record)


def lost_its_record(run: RunDirectory) -> None:
    run.record_file.unlink()


@pytest.mark.parametrize(
    "change",
    [
        *(evaluated_anew, evaluated_on_more, edited_in_place, edited_recipe, deleted, renamed, copied),
        *(damaged, went_on, lost_its_record),
    ],
)
def test_what_is_done_by_hand_is_seen(
    place: str, runs_dir: Path, many_runs: Runs, change: Callable[[RunDirectory], None]
) -> None:
    before = from_index(place, runs_dir)
    change(many_runs[2])
    after = from_index(place, runs_dir)
    assert after == from_directories(runs_dir)
    assert after != before


def test_a_killed_run_that_logged_on_is_seen(place: str, runs_dir: Path, many_runs: Runs) -> None:
    from_index(place, runs_dir)
    killed = many_runs[6]
    with killed.metrics_file.open("a") as file:
        line = {"step": 30, "epoch": 2, "attempt": 1, "time": 0.0, "values": {"train/loss": 0.25}}
        file.write(json.dumps(line) + "\n")
    assert from_index(place, runs_dir) == from_directories(runs_dir)
    assert "0.25" in next(row for row in from_index(place, runs_dir) if killed.id in row)


def test_a_run_at_work_is_shown_as_it_is_now(place: str, runs_dir: Path, many_runs: Runs) -> None:
    run = many_runs[6]
    with run.acquire():
        row = next(row for row in from_index(place, runs_dir) if run.id in row)
        assert "state='running'" in row and f"process {os.getpid()}" in row
    assert from_index(place, runs_dir) == from_directories(runs_dir)


def test_only_what_is_asked_for_is_read_but_the_main_metrics(
    place: str, runs_dir: Path, many_runs: Runs
) -> None:
    values = dict.fromkeys(("loss", "accuracy", "f1", "auroc", "recall"), 0.5)
    (many_runs[0].evaluation("test") / "metrics.json").write_text(json.dumps(values))
    query = Query(columns=("test/recall",))
    [run], there = indexed_runs(place, runs_dir, query, ids=[many_runs[0].id])
    assert there == 1
    assert list(run.row.metrics) == ["test/accuracy", "test/f1", "test/auroc", "test/recall"]


def test_an_unknown_key_is_refused_with_the_nearest(place: str, runs_dir: Path, many_runs: Runs) -> None:
    with pytest.raises(UserError, match=r"did you mean 'train\.optimizer\.lr'"):
        indexed_runs(place, runs_dir, Query(sort="train.optimiser.lr"))


def test_labels_are_kept_beside_the_run_and_read(place: str, runs_dir: Path, many_runs: Runs) -> None:
    from trainwright.runs.index.syncing import bring_up_to_date, open_index

    from_index(place, runs_dir)
    write_labels(many_runs[1], Labels(("baseline",), "the first"))
    bring_up_to_date(place, runs_dir)
    index = open_index(place, runs_dir)
    number = index.numbers([many_runs[1].id])[many_runs[1].id]
    assert index.tags() == {number: ["baseline"]} and index.field("note")[number] == "the first"
    index.close()


def test_runs_of_another_folder_are_none_of_its_ids(runs_dir: Path, many_runs: Runs, tmp_path: Path) -> None:
    assert ids_within(many_runs[:2], runs_dir) == [run.id for run in many_runs[:2]]
    assert ids_within(many_runs[:2], tmp_path) is None
