"""Runs side by side: seeds as one, paired tests on the same samples, reasons instead of numbers."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import yaml
from scipy import stats

from trainwright.cli import main
from trainwright.errors import UserError
from trainwright.inference.predictions import write_predictions
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunRecord, RunState
from trainwright.runs.spool import Spool
from trainwright.workflows.comparing_runs import compare_runs

RECIPE = {
    "name": "animals",
    "data": {"targets": {"y": {"type": "category"}}, "split": {"val": 0.1, "seed": 0}},
    "train": {"seed": 0, "lr": 0.1},
}


@pytest.fixture
def make(tmp_path):
    """A run with a right answer where `right` says so."""

    def make(salt, right, *, lr=0.1, seed=0, names=None, fingerprint="f" * 64, split_seed=0, kept=True):
        recipe = copy.deepcopy(RECIPE)
        recipe["train"] |= {"lr": lr, "seed": seed}
        recipe["data"]["split"]["seed"] = split_seed
        record = RunRecord("animals", salt * 10, data={"fingerprint": fingerprint})
        record.begin()
        run = RunDirectory(tmp_path / "runs" / f"animals-{salt * 10}")
        with run.acquire():
            run.create(record, as_given="", resolved=yaml.safe_dump(recipe))
            with Spool(run.metrics_file) as spool:
                for step in range(1, 4):
                    spool.log(step, 0, {"val/accuracy": step / 10})
            record.end(RunState.DONE, "the end")
            run.save(record)
        folder = run.evaluation("test")
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({"accuracy": float(np.mean(right))}))
        names = names or [f"{place}.png" for place in range(len(right))]
        if kept:
            answers = ["cat" if good else "dog" for good in right]
            columns = {"sample": names, "row": np.arange(len(right)), "y": ["cat"] * len(right)}
            write_predictions(folder / "predictions.parquet", {**columns, "y_predicted": answers})
        return run

    return make


def against(runs, tmp_path):
    return compare_runs(runs, tmp_path / "runs").metrics["test/accuracy"][1].against


def test_a_paired_test_is_mcnemars(make, tmp_path):
    first, second = np.ones(40), np.ones(40)
    first[:12], second[10:13] = 0, 0  # both wrong on two; first alone on ten, second alone on one
    found = against([make("a", first), make("b", second, lr=0.2)], tmp_path)
    assert found.difference == pytest.approx(9 / 40)
    assert found.p == pytest.approx(stats.binomtest(1, 11).pvalue)
    assert found.p_adjusted == found.p and found.interval[0] > 0 and not found.reason


def test_samples_are_paired_by_name_not_by_place(make, tmp_path):
    right = np.array([1, 1, 0, 0])
    run, other = make("a", right), make("b", right[::-1], lr=0.2)
    path = other.evaluation("test") / "predictions.parquet"
    columns = {"sample": ["3.png", "2.png", "1.png", "0.png"], "row": np.array([3, 2, 1, 0])}
    answers = {"y": ["cat"] * 4, "y_predicted": ["dog", "dog", "cat", "cat"]}
    write_predictions(path, {**columns, **answers})
    found = against([run, other], tmp_path)
    assert (found.difference, found.p, found.interval) == (0.0, 1.0, (0.0, 0.0))


@pytest.mark.parametrize(
    "made_of", [{"merged": [{"run": "a", "from_step": 0}]}, {"parents": [{"member": "a", "share": 1.0}]}]
)
def test_a_run_that_was_made_of_others_is_no_further_training_of_the_recipe(make, tmp_path, made_of):
    runs = [make("a", np.ones(10)), make("b", np.ones(10), seed=1), make("c", np.ones(10), seed=2)]
    record = runs[2].record()
    vars(record).update(made_of)
    runs[2].save(record)
    found = compare_runs(runs, tmp_path / "runs")
    assert list(found.groups) == ["animals-aaaa (2 seeds)", "animals-cccccccccc"]


def test_seeds_of_one_recipe_are_one_thing(make, tmp_path):
    right = np.ones(10)
    runs = [make(salt, right * (np.arange(10) >= wrong), seed=wrong) for salt, wrong in (("a", 1), ("b", 3))]
    runs += [
        make(salt, right * (np.arange(10) >= wrong), seed=wrong, lr=0.2)
        for salt, wrong in (("c", 5), ("d", 6))
    ]
    found = compare_runs(runs, tmp_path / "runs")
    assert list(found.groups) == ["animals-aaaa (2 seeds)", "animals-cccc (2 seeds)"]
    assert found.recipe == {"train.lr": [0.1, 0.2]}
    first, second = found.metrics["test/accuracy"]
    assert first.mean == pytest.approx(0.8) and first.spread == pytest.approx(0.02**0.5)
    # Two of six ways to part four values are as far apart.
    assert second.against.difference == pytest.approx(-0.35) and second.against.p_seeds == pytest.approx(
        2 / 6
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fingerprint": "e" * 64}, "other data: fingerprint eeeeeeeeeeee instead of ffffffffffff"),
        ({"names": ["x", "1.png", "2.png"]}, "other samples: 2 of 3 are among its 3"),
        ({"split_seed": 1, "kept": False}, "other split: split.seed 1 instead of 0"),
    ],
)
def test_a_reason_instead_of_a_number(make, tmp_path, change, reason):
    found = against([make("a", np.ones(3)), make("b", np.zeros(3), lr=0.2, **change)], tmp_path)
    assert found.reason == reason and found.difference is None and found.p is None


def test_without_predictions_the_values_are_compared(make, tmp_path):
    found = against([make("a", np.ones(3)), make("b", np.zeros(3), lr=0.2, kept=False)], tmp_path)
    assert found.difference == -1.0 and found.p is None and "were not kept" in found.reason


def test_one_run_is_no_comparison(make, tmp_path):
    with pytest.raises(UserError, match="at least two"):
        compare_runs([make("a", np.ones(3))], tmp_path / "runs")


def test_the_command(make, tmp_path, capsys, monkeypatch):
    make("a", np.ones(20))
    make("b", np.zeros(20), lr=0.2)
    monkeypatch.chdir(tmp_path)
    assert main(["runs", "index"]) == 0
    assert main(["runs", "compare", "animals-*"]) == 0
    out = capsys.readouterr().out
    assert "1.9e-06" in out and "train.lr" in out  # 2 / 2^20
    page = (tmp_path / "runs" / "comparison.html").read_text()
    assert "<svg" in page and "val/accuracy" in page and "http" not in page.replace("http://www.w3.org", "")
    assert main(["runs", "compare", "animals-*", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["curves"]["animals-aaaaaaaaaa"]["val/accuracy"] == [[1, 0.1], [2, 0.2], [3, 0.3]]
