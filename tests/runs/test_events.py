"""Lines beside the metrics: whole after a kill, and without an abandoned past."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.runs.atomic import StorageError
from trainwright.runs.events import RunEvent, append_event, read_events


def test_what_is_added_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert read_events(path, {}) == []
    append_event(path, 3, 1, {"text": "ü\n"})
    append_event(path, 5, 1, {"seconds": 0.5})
    assert read_events(path, {}) == [RunEvent(3, 1, {"text": "ü\n"}), RunEvent(5, 1, {"seconds": 0.5})]


def test_what_was_abandoned_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for step, attempt in ((3, 1), (9, 1), (6, 2), (9, 2), (8, 3)):
        append_event(path, step, attempt, {})
    found = [(event.step, event.attempt) for event in read_events(path, {2: 5, 3: 7})]
    assert found == [(3, 1), (6, 2), (8, 3)]


def test_half_a_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append_event(path, 1, 1, {})
    with path.open("ab") as file:
        file.write(b'{"step": 2, "att')
    append_event(path, 3, 2, {})
    assert [event.step for event in read_events(path, {})] == [1, 3]


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        append_event(tmp_path / "gone" / "events.jsonl", 1, 1, {})
