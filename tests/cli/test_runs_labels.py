"""Tags and notes: put on, shown, found by, taken off, and never lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from trainwright.runs.labels import change_labels, read_labels


@pytest.fixture
def runs(make_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [make_run(salt * 10) for salt in "abc"]


def ids(answer):
    return [line.split(",")[0] for line in answer.out.splitlines()[1:]]


@pytest.mark.parametrize("place", ["", "none"])
def test_tags_choose_runs(command, runs, monkeypatch, place):
    if place:
        monkeypatch.setenv("TRAINWRIGHT_INDEX", place)
    assert command("runs", "list", "--csv").code == 0
    assert command("runs", "tag", "aaaa", "bbbb", "--add", "best,paper").code == 0
    assert command("runs", "tag", "aaaa", "--remove", "paper").code == 0
    listed = command("runs", "list", "--csv", "--columns", "id,tags", "--where", "tags=best")
    assert ids(listed) == [runs[0].id, runs[1].id]
    assert ids(command("runs", "list", "--csv", "--columns", "id", "--where", "tags=paper")) == [runs[1].id]
    left = command("runs", "list", "--csv", "--columns", "id", "--where", "tags!=best")
    assert ids(left) == [runs[2].id]


def test_a_note_is_written_shown_and_removed(command, runs):
    command("runs", "note", "aaaa", "the baseline of table 2")
    assert "the baseline of table 2" in command("runs", "note", "aaaa").out
    listed = json.loads(command("runs", "list", "--json").out)
    assert [row["note"] for row in listed] == ["the baseline of table 2", "", ""]
    command("runs", "note", "aaaa", "")
    assert json.loads(command("runs", "note", "aaaa", "--json").out)[0]["note"] == ""


def test_a_tag_of_two_words_is_refused(command, runs):
    answer = command("runs", "tag", "aaaa", "--add", "two words")
    assert answer.code == 2 and "no tag" in answer.err
    assert not runs[0].labels.exists()


def test_tags_that_are_put_on_at_once_are_all_there(runs):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: change_labels(runs[0], [f"t{number}"]), range(24)))
    assert set(read_labels(runs[0]).tags) == {f"t{number}" for number in range(24)}


def test_labels_outlive_what_the_run_writes(command, runs):
    command("runs", "tag", "aaaa", "--add", "best")
    record = runs[0].record()
    record.begin()
    runs[0].save(record)
    assert json.loads(command("runs", "tag", "aaaa", "--json").out)[0]["tags"] == ["best"]
