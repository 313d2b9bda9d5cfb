"""Finding runs, and the rows of the table."""

from __future__ import annotations

import pytest

from trainwright.errors import RunError
from trainwright.runs.heartbeat import Heartbeat
from trainwright.runs.listing import all_runs, chosen_runs, find_run, find_runs, row, split_id
from trainwright.runs.record import RunState


@pytest.fixture
def three(make_run, runs_dir):
    make_run("digits", "aaaa000000")
    make_run("digits", "bbbb000000", state=RunState.INTERRUPTED)
    make_run("iris-small", "cccc000000")
    (runs_dir / "notes").mkdir()
    return runs_dir


def ids(runs) -> list[str]:
    return sorted(run.id for run in runs)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], ["digits-aaaa000000", "digits-bbbb000000", "iris-small-cccc000000"]),
        (["digits"], ["digits-aaaa000000", "digits-bbbb000000"]),
        (["digits-bbbb000000"], ["digits-bbbb000000"]),
        (["cccc"], ["iris-small-cccc000000"]),
        (["aaaa000000", "digits"], ["digits-aaaa000000", "digits-bbbb000000"]),
        (["*-?ccc*", "iris-small"], ["iris-small-cccc000000"]),
        (["*"], ["digits-aaaa000000", "digits-bbbb000000", "iris-small-cccc000000"]),
    ],
)
def test_patterns(three, patterns, expected):
    assert ids(find_runs(patterns, three)) == expected


def test_paths_and_globs_from_anywhere(three, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ids(find_runs(["runs/digits-aaaa000000"], "elsewhere")) == ["digits-aaaa000000"]
    assert ids(find_runs(["runs/digits-*"], "elsewhere")) == ["digits-aaaa000000", "digits-bbbb000000"]
    assert ids(find_runs([f"{three}/iris*"], "elsewhere")) == ["iris-small-cccc000000"]


def test_oldest_first(three):
    assert all_runs(three)[0].id == "digits-aaaa000000"


def test_a_renamed_directory_is_still_found(three):
    (three / "digits-aaaa000000").rename(three / "my best")
    assert ids(find_runs(["my best"], three)) == ["my best"]


def test_nothing_found_is_an_error_with_a_suggestion(three, tmp_path):
    with pytest.raises(RunError, match=r"no run matches 'digts'.*\n.*did you mean digits"):
        find_runs(["digits", "digts"], three)
    with pytest.raises(RunError, match="holds no runs"):
        find_runs(["digits"], tmp_path / "empty")
    with pytest.raises(RunError, match="not a run directory"):
        find_runs([str(three / "notes")], three)
    assert find_runs([], tmp_path / "empty") == []


def test_one_run_only(three):
    assert find_run("bbbb", three).id == "digits-bbbb000000"
    with pytest.raises(RunError, match="means 2 runs") as caught:
        find_run("digits", three)
    assert "digits-bbbb000000  (interrupted)" in str(caught.value)


def test_row_of_a_finished_run(make_run):
    run = make_run(reason="all epochs done")
    found = row(run)
    assert (found.state, found.reason, found.step, found.total_steps) == ("done", "all epochs done", 20, 30)
    assert found.metrics == {"test/accuracy": 0.97}
    assert found.as_json()["path"] == str(run.path)


def test_row_of_a_killed_run_takes_its_progress_from_the_heartbeat(make_run):
    run = make_run(state=RunState.RUNNING)
    Heartbeat(run.heartbeat, lambda: {"step": 25, "epoch": 2.5}).beat()
    found = row(run)
    assert (found.state, found.reason, found.step, found.epoch) == (
        "interrupted",
        "the process was killed",
        25,
        2.5,
    )


def test_a_done_run_that_is_still_held_has_its_own_reason(make_run):
    run = make_run(reason="all epochs done")
    with run.acquire():
        assert (row(run).state, row(run).reason) == ("done", "all epochs done")


def test_row_of_a_living_run_names_its_process(make_run):
    run = make_run(state=RunState.RUNNING)
    with run.acquire():
        assert row(run).state == "running"
        assert row(run).reason.startswith("process ")


@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        ("digits-0123456789", ("digits", "0123456789", 1)),
        ("a-b-0123456789-12", ("a-b", "0123456789", 12)),
        ("renamed", ("renamed", "", 1)),
    ],
)
def test_split_id(run_id, expected):
    assert split_id(run_id) == expected


def test_a_killed_run_shows_the_step_of_its_newest_checkpoint(make_run):
    run = make_run(state=RunState.RUNNING)
    run.heartbeat.write_text('{"time": 0, "step": 0, "total_steps": 30}')
    for step, files in ((40, ["manifest.json"]), (60, ["tree.json"])):  # the second is cut short
        folder = run.checkpoints / str(step)
        folder.mkdir()
        for name in files:
            (folder / name).write_text("{}")
    assert run.newest_checkpoint() == 40
    assert row(run).step == 40
    run.heartbeat.write_text('{"time": 0, "step": 45, "total_steps": 30}')
    assert row(run).step == 45


def test_several_runs_are_meant_by_a_glob_only(three):
    assert ids(chosen_runs(["digits-*"], three)) == ["digits-aaaa000000", "digits-bbbb000000"]
    assert ids(chosen_runs(["bbbb", "digits-b*"], three)) == ["digits-bbbb000000"]
    with pytest.raises(RunError, match="digits means 2 runs"):
        chosen_runs(["digits"], three)
