"""The times of a real training: stored, shown, and an objective."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import trainwright as tw
from trainwright.cli import main
from trainwright.runs.directory import RunDirectory
from trainwright.runs.ledger import read_ledger
from trainwright.workflows.objectives import objective_values


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """Digits for four epochs."""
    folder = tmp_path_factory.mktemp("runs")
    return RunDirectory(tw.train("digits", {"train.epochs": 4, "train.device": "cpu"}, runs_dir=folder).path)


def test_every_epoch_has_a_line(run: RunDirectory) -> None:
    lines = read_ledger(run, run.record())
    assert [line.epoch for line in lines] == [1, 2, 3, 4]
    for line in lines:
        assert {"data", "forward", "backward", "optimizer", "evaluation"} <= set(line.seconds)
    total = sum(sum(line.seconds.values()) for line in lines)
    assert total == pytest.approx(lines[-1].elapsed, rel=0.5)


def test_seconds_to_the_best_weights_are_an_objective(run: RunDirectory) -> None:
    steps, epochs, seconds = objective_values(
        run, ["run/steps_to_best", "run/epochs_to_best", "run/seconds_to_best"]
    )
    line = next(line for line in read_ledger(run, run.record()) if line.step == steps)
    assert (line.epoch, line.elapsed) == (epochs, seconds)


def test_it_is_shown(run: RunDirectory, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", str(run.path)]) == 0
    shown = capfd.readouterr().out
    assert "\nepochs " in shown
    assert "forward" in shown
    page = run.report.read_text()
    assert "Within the epochs" in page
    summary = json.loads((run.path / "report.json").read_text())
    assert [line["epoch"] for line in summary["epochs"]] == [1, 2, 3, 4]
    assert Path(run.ledger).is_file()
