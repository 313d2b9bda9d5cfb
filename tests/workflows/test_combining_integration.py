"""Means of runs: kept where they are as good as the best member, refused where they are not."""

from __future__ import annotations

import json

import pytest

from trainwright.cli.entry import run_command
from trainwright.errors import RunError
from trainwright.models.weights import load_weights
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.combining import combine
from trainwright.workflows.continuing import continue_run
from trainwright.workflows.evaluating import evaluate
from trainwright.workflows.training import train

RECIPE = {
    "extends": "digits",
    "data": {"split": {"val": 0.3}},
    "model": {"name": "cnn", "widths": [8], "batch_norm": True},
    "train": {
        "epochs": 2,
        "threads": 1,
        "precision": "fp32",
        "memory_format": "contiguous",
        "schedule": "constant",
        "checkpoint": {"monitor": "val/loss"},
    },
    "report": {"enabled": False},
}


TUNED = {"train.epochs": 4, "train.optimizer.lr": 1e-3}


@pytest.fixture(scope="module")
def siblings(tmp_path_factory):
    """Three runs that go on from one parent, each with other batches."""
    runs = tmp_path_factory.mktemp("runs")
    parent = train(RECIPE, runs_dir=runs).path
    return [RunDirectory(continue_run(parent, {**TUNED, "train.seed": seed}).path) for seed in (1, 2, 3)]


def test_the_mean_of_three_children_of_one_parent_is_kept(siblings):
    runs_dir = siblings[0].path.parent
    found = combine(siblings, how="uniform", runs_dir=runs_dir)
    assert found.metric == "val/loss" and found.score <= min(found.scores.values())
    assert found.shares == {run.id: 1 / 3 for run in siblings}
    weights = [load_weights(run.best) for run in siblings]
    made = load_weights(found.run.best)
    for name in ("fc.weight", "conv1.weight"):
        assert (made[name] - sum(w[name] for w in weights) / 3).abs().max() < 1e-6
    # Statistics of the mean are not the mean of the statistics, and scoring the run anew gives what was told.
    assert (made["norm1.running_mean"] - sum(w["norm1.running_mean"] for w in weights) / 3).abs().max() > 1e-4
    assert evaluate(found.run.path, split="val")["loss"] == pytest.approx(found.score, rel=1e-6)
    assert found.run.state() == "done" and found.run.report.exists()
    again = combine(siblings, how="uniform", runs_dir=runs_dir)
    assert again.run.path == found.run.path


def test_greedy_and_interpolated_means_are_not_below_the_best(siblings, capsys):
    runs_dir = str(siblings[0].path.parent)
    for how, count in (("greedy", 3), ("interpolate", 2)):
        words = ["runs", "combine", *(str(run.path) for run in siblings[:count])]
        assert run_command([*words, "--how", how, "--json", "--runs-dir", runs_dir]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["score"] <= min(told["scores"].values())
        assert sum(told["shares"].values()) == pytest.approx(1)


def test_strangers_are_refused_with_the_figures(siblings, tmp_path):
    strangers = [
        RunDirectory(train(RECIPE, {"train.seed": seed}, runs_dir=tmp_path).path) for seed in (1, 2, 3)
    ]
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RunError) as refused:
        combine(strangers, how="uniform", runs_dir=tmp_path)
    assert "worse than the best" in str(refused.value) and "different weights" in str(refused.value)
    assert sorted(tmp_path.iterdir()) == before


def test_what_does_not_fit_together_is_refused(siblings, tmp_path):
    wider = train(RECIPE, {"model.widths": [16]}, runs_dir=tmp_path).path
    divided = train(RECIPE, {"data.split": {"val": 0.3, "seed": 9}}, runs_dir=tmp_path).path
    for runs, how, words in (
        ([siblings[0], RunDirectory(divided)], "uniform", "other data"),
        ([siblings[0], RunDirectory(wider)], "uniform", "another architecture"),
        (siblings[:1], "greedy", "cannot be combined"),
        (siblings, "interpolate", "cannot be combined"),
    ):
        with pytest.raises(RunError, match=words):
            combine(runs, how=how, runs_dir=tmp_path)
