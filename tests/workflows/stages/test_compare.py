"""The stage that puts runs side by side: a page, numbers, and what it logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from trainwright.errors import UserError
from trainwright.progress import NoProgress
from trainwright.registry import checking
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunRecord, RunState
from trainwright.workflows.stages.compare import compare
from trainwright.workflows.stages.work import StageWork


def made(folder: Path, salt: str, lr: float, accuracy: float) -> str:
    run = RunDirectory(folder / "runs" / f"animals-{salt * 10}")
    record = RunRecord("animals", salt * 10, data={"fingerprint": "f"})
    record.begin()
    with run.acquire():
        recipe = {"name": "animals", "data": {"targets": {"y": {"type": "category"}}}, "train": {"lr": lr}}
        run.create(record, as_given="", resolved=yaml.safe_dump(recipe))
        record.end(RunState.DONE, "the end")
        run.save(record)
    run.evaluation("test").mkdir(parents=True)
    (run.evaluation("test") / "metrics.json").write_text(json.dumps({"accuracy": accuracy}))
    return str(run.path)


def test_two_runs_are_compared_and_logged_by_their_ids(tmp_path: Path) -> None:
    runs = [made(tmp_path, "a", 0.1, 0.5), made(tmp_path, "b", 0.2, 0.75)]
    (tmp_path / "output").mkdir()
    logged: dict[str, float] = {}
    places = {"folder": tmp_path / "output", "scratch": tmp_path, "runs_dir": tmp_path / "runs"}
    rest = {"beside": tmp_path, "threads": 1, "fresh": False, "progress": NoProgress(), "log": logged.update}
    compare(StageWork(name="versus", **places, **rest), runs=runs)
    assert logged == {"test/accuracy/animals-aaaaaaaaaa": 0.5, "test/accuracy/animals-bbbbbbbbbb": 0.75}
    assert "animals-bbbb" in (tmp_path / "output/comparison.html").read_text()
    written = json.loads((tmp_path / "output/comparison.json").read_text())
    assert written["metrics"]["test/accuracy"][1]["against"]["difference"] == 0.25
    assert written["recipe"] == {"train.lr": [0.1, 0.2]}


def test_one_run_is_refused_before_anything_is_made() -> None:
    with pytest.raises(UserError, match="runs"):
        checking.validate("stage", {"name": "compare", "runs": ["one"]})
