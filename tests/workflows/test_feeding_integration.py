"""Sinks beside real trainings: one series after a resume, and no run that waits for a dead sink."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trainwright import recipe as recipes
from trainwright.errors import MissingExtra, RecipeError, RunError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.sinks import base
from trainwright.workflows.feeding import sync, what_is_behind
from trainwright.workflows.trainable import refuse_untrainable
from trainwright.workflows.training import resume, train

RECIPE = {
    "name": "fed",
    "data": {
        "source": "digits",
        "inputs": {"image": {"type": "image", "size": [8, 8]}},
        "targets": {"label": {"type": "category"}},
        "split": {"val": 0.05, "test": 0.85},
    },
    "model": {"name": "mlp", "hidden": [12]},
    "train": {
        "epochs": 3,
        "batch_size": 32,
        "device": "cpu",
        "threads": 1,
        "precision": "fp32",
        "memory_format": "contiguous",
        "log_every": 2,
        "sinks": ["tensorboard"],
    },
    "report": {"enabled": False},
}
SINK = """
from pathlib import Path
from trainwright.runs.sinks.base import Sink

class Dead(Sink):
    def __init__(self, *, alive: str):
        self.alive = Path(alive)

    def open(self, run, memory):
        if not self.alive.exists():
            raise ConnectionError("nobody is there")

    def write(self, points):
        with self.alive.open("a") as file:
            file.writelines(f"{point.name} {point.step}\\n" for point in points)
"""


def board(run: RunDirectory) -> dict[str, list[tuple[int, float]]]:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulators.EventAccumulator(str(run.path / "tensorboard"), size_guidance={"scalars": 0})
    found.Reload()
    return {
        tag: [(item.step, item.value) for item in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
        if not tag.startswith("final/")
    }


def test_an_interrupted_and_resumed_run_is_one_series(tmp_path: Path) -> None:
    stop = train(
        RECIPE, runs_dir=tmp_path, watch=lambda run, epochs, steps, metrics: "enough" if epochs == 2 else None
    )
    assert stop.state == "interrupted"
    done = resume(stop.path)
    assert done.state == "done"
    run = RunDirectory.open(done.path)
    expected = {
        name: [(step, pytest.approx(value, rel=1e-6)) for step, value in series]
        for name, series in run.metrics().items()
    }
    assert board(run) == expected
    assert what_is_behind(run, [{"name": "tensorboard"}]) == []


def test_a_dead_sink_stops_nothing_and_is_given_everything_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, alive = tmp_path / "code", tmp_path / "alive"
    code.mkdir()
    (code / "dead_sink.py").write_text(SINK)
    told: list[str] = []
    recipe = {
        **RECIPE,
        "code": [str(code)],
        "train": {**RECIPE["train"], "sinks": [{"name": "dead_sink:Dead", "alive": str(alive)}]},
    }
    monkeypatch.setattr(sys, "path", [*sys.path])
    done = train(recipe, runs_dir=tmp_path / "runs", progress=_Saying(told))
    assert done.state == "done"
    assert any("dead_sink.Dead lacks" in line and "nobody is there" in line for line in told)
    run = RunDirectory.open(done.path)
    with pytest.raises(RunError, match="nobody is there"):
        sync(run)
    alive.touch()
    assert sync(run) == ["dead_sink.Dead has everything"]
    written = alive.read_text().split("\n")[:-1]
    assert written == [f"{name} {item.step}" for item in _records(run) for name in item.values]
    sync(run)
    assert alive.read_text().split("\n")[:-1] == written


def test_sinks_change_neither_the_salt_nor_what_it_is_made_of() -> None:
    plain = {**RECIPE, "train": {**RECIPE["train"], "sinks": []}}
    found = [recipes.identity(recipes.load(item), "data") for item in (RECIPE, plain)]
    assert found[0] == found[1]


def test_a_missing_package_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    loaded = recipes.load({**RECIPE, "train": {**RECIPE["train"], "sinks": ["mlflow"]}})
    with pytest.raises(MissingExtra, match=r"mlflow is not installed\n.*trainwright\[track\]"):
        refuse_untrainable(loaded.recipe)


def test_a_sink_that_does_not_exist_is_refused_with_its_place() -> None:
    with pytest.raises(RecipeError, match="tensorboard"):
        recipes.load({**RECIPE, "train": {**RECIPE["train"], "sinks": ["tensorbord"]}})


def test_a_run_without_sinks_has_nothing_to_sync(tmp_path: Path) -> None:
    plain = {**RECIPE, "train": {**RECIPE["train"], "sinks": [], "epochs": 1}}
    done = train(plain, runs_dir=tmp_path)
    assert not (done.path / "sinks").exists()
    with pytest.raises(RunError, match="names no sinks"):
        sync(RunDirectory.open(done.path))


class _Saying:
    """A progress sink that keeps what it is told."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def message(self, text: str) -> None:
        self._told.append(text)

    def __getattr__(self, name: str):
        return lambda *_: None


def _records(run: RunDirectory):
    from trainwright.runs.metrics import read_records

    return list(read_records(run.metrics_file))
