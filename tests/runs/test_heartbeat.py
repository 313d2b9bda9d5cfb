"""The heartbeat: alive, with progress, and no reason to stop a run."""

from __future__ import annotations

import os
import shutil
import threading

from trainwright.runs.heartbeat import Heartbeat, read_heartbeat


def test_beats_until_stopped(tmp_path):
    beaten = threading.Event()
    beats = []

    def status() -> dict[str, int]:
        beats.append(len(beats))
        if len(beats) >= 3:
            beaten.set()
        return {"step": len(beats)}

    heartbeat = Heartbeat(tmp_path / "heartbeat.json", status, interval=0.001).start()
    assert beaten.wait(30)
    heartbeat.stop()
    value = read_heartbeat(tmp_path / "heartbeat.json")
    assert value["pid"] == os.getpid() and value["step"] == len(beats) and value["time"] > 1.7e9
    assert [path.name for path in tmp_path.iterdir()] == ["heartbeat.json"]


def test_a_beat_that_cannot_be_written_is_remembered_not_raised(tmp_path):
    place = tmp_path / "run"
    place.mkdir()
    heartbeat = Heartbeat(place / "h")
    shutil.rmtree(place)
    heartbeat.beat()
    assert heartbeat.error is not None
    place.mkdir()
    heartbeat.beat()
    assert heartbeat.error is None


def test_damaged_or_missing_heartbeat_is_empty(tmp_path):
    assert read_heartbeat(tmp_path / "h") == {}
    (tmp_path / "h").write_text("[1]")
    assert read_heartbeat(tmp_path / "h") == {}
