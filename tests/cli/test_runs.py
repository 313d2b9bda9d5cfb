"""runs list, show and diff."""

from __future__ import annotations

import json
import time

import pytest

from trainwright.cli.run_words import age
from trainwright.runs.record import RunState


@pytest.fixture
def two(make_run, tmp_path, monkeypatch):
    make_run("aaaa000000")
    make_run("bbbb000000", lr=0.2, state=RunState.RUNNING)
    monkeypatch.chdir(tmp_path)


def test_list_shows_true_states(two, command):
    for words in (["runs"], ["runs", "list"]):
        answer = command(*words)
        assert answer.code == 0
        header, first, second = answer.out.splitlines()
        assert header.split() == ["run", "state", "step", "age", "time", "metrics"]
        assert "digits-aaaa000000  done" in first and "10/20" in first and "val/accuracy 0.1" in first
        assert "digits-bbbb000000  interrupted" in second


def test_a_damaged_run_does_not_hide_the_others(two, command, tmp_path):
    (tmp_path / "runs" / "digits-aaaa000000" / "run.json").write_text("{")
    answer = command("runs")
    assert answer.code == 0
    assert "digits-aaaa000000  damaged" in answer.out and "digits-bbbb000000  interrupted" in answer.out
    assert "damaged: " in answer.out and "run.json" in answer.out


def test_list_of_some(two, command):
    assert len(command("runs", "list", "bbbb").out.splitlines()) == 2
    answer = command("runs", "list", "digts")
    assert answer.code == 2 and "did you mean digits?" in answer.err


def test_list_as_json_is_strict(two, command):
    for words in (["runs", "--json"], ["runs", "list", "--json"]):
        rows = json.loads(command(*words).out, parse_constant=lambda name: pytest.fail(name))
        assert [row["state"] for row in rows] == ["done", "interrupted"]
        assert rows[0]["metrics"] == {"val/accuracy": 0.1, "val/loss": None}


def test_empty_and_other_directory(command, tmp_path, monkeypatch, make_run):
    monkeypatch.chdir(tmp_path)
    assert command("runs").out == "no runs in runs\n"
    make_run("aaaa000000")
    assert "digits-aaaa" in command("runs", "list", "--runs-dir", str(tmp_path / "runs")).out
    assert "digits-aaaa" in command("runs", "--runs-dir", str(tmp_path / "runs")).out
    monkeypatch.chdir("/")
    monkeypatch.setenv("TRAINWRIGHT_RUNS", str(tmp_path / "runs"))
    assert "digits-aaaa" in command("runs").out


def test_show(two, command):
    answer = command("runs", "show", "aaaa")
    assert answer.code == 0
    assert "state      done  the end" in answer.out
    assert "git        cccccccccc with changes" in answer.out
    assert "attempts   1: done (from step 0)" in answer.out
    found = json.loads(command("runs", "show", "aaaa", "--json").out)
    assert found["salt"] == "aaaa000000" and found["state"] == "done" and found["step"] == 10


def test_show_of_several_is_refused(two, command):
    answer = command("runs", "show", "digits")
    assert answer.code == 2 and "digits means 2 runs" in answer.err


def test_diff(two, command):
    answer = command("runs", "diff", "aaaa", "bbbb")
    lines = [line.split() for line in answer.out.splitlines() if line]
    assert ["train.lr", "0.1", "0.2"] in lines and ["val/accuracy", "0.1", "0.2"] in lines
    found = json.loads(command("runs", "diff", "aaaa", "bbbb", "--json").out)
    assert found["recipe"] == [{"key": "train.lr", "left": 0.1, "right": 0.2}]
    assert "equal values" in command("runs", "diff", "aaaa", "aaaa").out


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (61, "1 min"), (7300, "2 h"), (90000, "1 d"), (-5, "0 s")]
)
def test_age(monkeypatch, seconds, text):
    monkeypatch.setattr(time, "time", lambda: 1e9)
    assert age(1e9 - seconds) == text


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--where", "state=done"], ["digits-aaaa000000"]),
        (["--where", "state!=done"], ["digits-bbbb000000"]),
        (["--where", "train.lr>=0.2"], ["digits-bbbb000000"]),
        (["--where", "val/accuracy<0.5", "--where", "step=10"], ["digits-aaaa000000", "digits-bbbb000000"]),
        (["--where", "val/accuracy>0.5"], []),
        (["--sort", "train.lr"], ["digits-aaaa000000", "digits-bbbb000000"]),
        (["--sort=-train.lr"], ["digits-bbbb000000", "digits-aaaa000000"]),
        (["--sort=-state"], ["digits-bbbb000000", "digits-aaaa000000"]),
    ],
)
def test_runs_are_chosen_and_ordered_by_fields_metrics_and_recipe_values(two, command, options, ids):
    answer = command("runs", "list", *options, "--csv", "--columns", "id,train.lr")
    assert answer.code == 0, answer.err
    header, *lines = answer.out.splitlines()
    assert header == "id,train.lr"
    rates = {"digits-aaaa000000": "0.1", "digits-bbbb000000": "0.2"}
    assert lines == [f"{name},{rates[name]}" for name in ids]


def test_a_key_that_no_run_has_is_refused_with_a_guess(two, command):
    for words, told in (
        (["--sort", "train.lrr"], "did you mean 'train.lr'?"),
        (["--where", "accuracy"], "is no condition"),
        (["--where", "val/accuracy>"], "is no condition"),
        (["--where", "val/accuracy=>0.5"], "is no condition"),
        (["--where", "val/accuracy>high"], "is a number"),
        (["--where", "state=dnoe"], "did you mean done?"),
    ):
        answer = command("runs", "list", *words)
        assert answer.code == 2 and told in answer.err


def test_columns_are_shown_and_a_missing_value_stays_open(two, command):
    answer = command("runs", "list", "--columns", "state,val/accuracy", "--where", "state=done")
    assert answer.out.splitlines()[0].split() == ["id", "state", "val/accuracy"]
    assert "digits-bbbb000000" not in answer.out
    answer = command("runs", "list", "--csv")
    assert answer.out.splitlines()[0].startswith("id,state,step,epoch,created,seconds,")
