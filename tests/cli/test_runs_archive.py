"""runs archive, restore and purge."""

from __future__ import annotations

import io
import json

import pytest

from trainwright.errors import RunError
from trainwright.tune.store import Store
from trainwright.tune.trial import TrialState


@pytest.fixture
def runs(make_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [make_run(salt * 10) for salt in "abc"]


def ids(command, *words):
    return [line.split(",")[0] for line in command("runs", "list", "--csv", *words).out.splitlines()[1:]]


@pytest.mark.parametrize("index", ["", "none"])
def test_archived_runs_leave_the_lists_and_come_back(command, runs, monkeypatch, index):
    if index:
        monkeypatch.setenv("TRAINWRIGHT_INDEX", index)
    assert ids(command) == [run.id for run in runs]
    answer = command("runs", "archive", "digits-[ab]*")
    assert answer.code == 0 and runs[0].id in answer.out
    assert ids(command) == [runs[2].id]
    assert ids(command, "--archived") == [runs[0].id, runs[1].id]
    assert ids(command, "--archived", "bbbb", "--where", "state=done") == [runs[1].id]
    assert "is archived" in command("runs", "show", "aaaa").err
    assert command("runs", "restore", "aaaa").code == 0
    assert ids(command) == [runs[0].id, runs[2].id]
    assert "no archived run matches" in command("runs", "restore", "aaaa").err


def test_purge_asks_or_wants_to_be_told(command, runs, monkeypatch):
    answer = command("runs", "purge", "aaaa")
    assert answer.code == 2 and "say --yes" in answer.err and runs[0].path.exists()

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert command("runs", "purge", "aaaa").code == 2 and runs[0].path.exists()
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert command("runs", "purge", "aaaa").code == 0 and not runs[0].path.exists()
    assert command("runs", "purge", "digits-[bc]*", "--yes").code == 0
    assert ids(command) == []


def test_purging_from_the_archive(command, runs):
    command("runs", "archive", "aaaa", "bbbb")
    assert json.loads(command("runs", "purge", "aaaa", "--archived", "--yes", "--json").out) == {
        "purged": [runs[0].id]
    }
    assert ids(command, "--archived") == [runs[1].id] and ids(command) == [runs[2].id]


def go_on_from(child, parent, key):
    record = child.record()
    record.parents = [{key: parent.id, "path": str(parent.path), "step": 10}]
    child.save(record)


@pytest.mark.parametrize("key", ["run", "member"])
def test_a_run_that_others_come_from_stays_unless_they_go_too(command, runs, key):
    go_on_from(runs[1], runs[0], key)
    go_on_from(runs[2], runs[1], key)
    answer = command("runs", "purge", "aaaa", "bbbb", "--yes")
    assert answer.code == 2 and f"{runs[1].id}: {runs[2].id}" in answer.err
    assert all(run.path.exists() for run in runs)
    command("runs", "archive", "cccc")
    assert f"{runs[2].id} (archived)" in command("runs", "purge", "bbbb", "--yes").err
    assert command("runs", "purge", "aaaa", "bbbb", "--yes", "--force").code == 0
    assert not runs[0].path.exists() and not runs[1].path.exists()


def test_a_studys_trial_stays(command, runs, tmp_path):
    store = Store(tmp_path / "runs" / "digits.study", "digits")
    store.create({}, 1)
    trial = store.add(0, {}, owner="me", lease=60, known=0)
    store.finish(trial.number, trial.token, TrialState.DONE, (0.5,), run=str(runs[0].path))
    store.close()
    answer = command("runs", "purge", "aaaa", "--yes")
    assert answer.code == 2 and "trial 0 of the study digits" in answer.err and runs[0].path.exists()


def test_a_stages_run_stays(command, runs, tmp_path):
    stage = tmp_path / "pipelines" / "p" / "train-x"
    stage.mkdir(parents=True)
    (stage / "manifest.json").write_text(json.dumps({"run": f"../../../runs/{runs[0].id}"}))
    assert "stage p/train-x" in command("runs", "purge", "aaaa", "--yes").err


def test_a_run_at_work_is_never_purged(command, runs):
    with runs[0].acquire():
        for words in (["purge", "--yes", "--force"], ["archive"]):
            answer = command("runs", *words, "digits-*")
            assert answer.code == 2 and "alive" in answer.err
    assert all(run.path.exists() for run in runs)


def test_a_run_of_another_folder_is_refused(command, runs, tmp_path):
    (tmp_path / "other").mkdir()
    answer = command("runs", "purge", str(runs[0].path), "--yes", "--runs-dir", str(tmp_path / "other"))
    assert answer.code == 2 and "no directory of the runs folder" in answer.err and runs[0].path.exists()


def test_an_archived_run_is_not_trained_again_by_accident(command, runs, tmp_path):
    from trainwright.runs.second_start import Action, decide

    command("runs", "archive", "aaaa")
    with pytest.raises(RunError, match="archived") as told:
        decide(tmp_path / "runs", "digits", "a" * 10, resolved={})
    assert f"runs restore {runs[0].id}" in told.value.fix and "--fresh" in told.value.fix
    fresh = decide(tmp_path / "runs", "digits", "a" * 10, resolved={}, fresh=True)
    assert fresh.action is Action.START and fresh.run.id == f"{runs[0].id}-2"
    fresh.run.lock.release()
