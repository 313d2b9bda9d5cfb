"""A file that vanishes in mid-training: a substitute takes its place, or the run is interrupted."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainwright.errors import RunError
from trainwright.progress import NoProgress
from trainwright.workflows.training import resume, train


class Vandal(NoProgress):
    """Removes a training file after the first epoch."""

    def __init__(self, photos: Path) -> None:
        self.photos, self.gone = photos, b""

    @property
    def victim(self) -> Path:
        return self.photos / "dog" / "3.png"

    def epoch(self, number: int, values: dict[str, float]) -> None:
        if self.victim.exists():
            self.gone = self.victim.read_bytes()
            self.victim.unlink()


@pytest.fixture
def recipe(make_photos: Callable[..., Path], tmp_path: Path) -> dict[str, Any]:
    return {
        "name": "vanish",
        "data": {
            "source": {"name": "folder", "root": str(make_photos(tmp_path / "photos", each=12))},
            "inputs": {"image": {"type": "image", "size": [16, 16]}},
            "targets": {"label": {"type": "category"}},
            "split": {"train": 1.0},
            "cache": "none",
            "workers": 0,
        },
        "model": {"name": "cnn", "widths": [4]},
        "train": {"epochs": 3, "batch_size": 8, "device": "cpu", "precision": "fp32", "threads": 1},
        "report": {"enabled": False},
    }


def test_a_substitute_takes_its_place_and_the_run_says_so(recipe: dict[str, Any], tmp_path: Path) -> None:
    vandal = Vandal(tmp_path / "photos")
    skipping = {"data.on_bad": {"policy": "skip", "limit": 0.1}}
    result = train(recipe, skipping, runs_dir=tmp_path / "runs", progress=vandal)
    assert result.state == "done"
    with (result.path / "data" / "dropped.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert line["sample"] == "dog/3.png" and line["column"] == "image"
    assert "does not exist" in line["reason"] and "found in training" in line["reason"]
    assert json.loads((result.path / "data" / "summary.json").read_text())["dropped"]["count"] == 1


def test_without_leave_to_skip_the_run_is_interrupted_and_goes_on_when_the_file_is_back(
    recipe: dict[str, Any], tmp_path: Path
) -> None:
    vandal = Vandal(tmp_path / "photos")
    with pytest.raises(RunError, match="cannot be read now"):
        train(recipe, runs_dir=tmp_path / "runs", progress=vandal)
    (run,) = (tmp_path / "runs").glob("vanish-*")
    record = json.loads((run / "run.json").read_text())
    assert record["state"] == "interrupted"
    vandal.victim.write_bytes(vandal.gone)
    assert resume(run).state == "done"
