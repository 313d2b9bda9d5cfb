"""run.json: what is written is read, what is damaged is told."""

from __future__ import annotations

import json
import os

import pytest

from trainwright.errors import RunError
from trainwright.runs.record import RunRecord, RunState


def test_comes_back_as_it_was(tmp_path):
    record = RunRecord("digits", "0123456789", seeds={"train": 3}, pinned={"threads": 2}, parts={"a": "b"})
    record.begin()
    record.end(RunState.INTERRUPTED, "Ctrl-C")
    record.begin(from_step=40)
    record.save(tmp_path / "run.json")
    back = RunRecord.load(tmp_path / "run.json")
    assert back == record
    assert isinstance(back.state, RunState) and isinstance(back.attempts[0].state, RunState)


def test_attempts_are_numbered_and_know_where_they_began():
    record = RunRecord("digits", "0123456789")
    assert record.attempt == 0 and record.resumed_from == {}
    record.begin()
    assert (record.attempt, record.attempts[0].pid) == (1, os.getpid())
    record.end(RunState.INTERRUPTED, "Ctrl-C")
    assert record.finished is not None and record.exit_reason == "Ctrl-C"
    record.begin(from_step=40)
    assert record.state is RunState.RUNNING and record.finished is None and record.exit_reason == ""
    assert record.resumed_from == {2: 40}


def test_an_attempt_that_never_ended_was_killed():
    record = RunRecord("digits", "0123456789")
    record.begin()
    record.begin(from_step=5)
    assert record.attempts[0].state is RunState.INTERRUPTED
    assert record.attempts[0].reason == "the process was killed"


def test_keys_of_a_newer_version_survive(tmp_path):
    path = tmp_path / "run.json"
    RunRecord("digits", "0123456789").save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "red"}))
    RunRecord.load(path).save(path)
    assert json.loads(path.read_text())["colour"] == "red"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "not a run directory"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"name": "x"}', "cannot be read"),
        ('{"name": "x", "salt": "y", "state": "odd"}', "cannot be read"),
        ('{"name": "x", "salt": "y", "format": 99}', "newer version"),
    ],
)
def test_damage_is_told(tmp_path, content, message):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RunError, match=message):
        RunRecord.load(path)
