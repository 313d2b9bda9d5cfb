"""Wrong labels made on purpose are suspected, reported, and left out by the fixes that are written."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

import trainwright as tw
from trainwright.errors import RunError
from trainwright.workflows.reviewing import review
from trainwright.workflows.training import train

WRONG = 30


@pytest.fixture(scope="module")
def mislabelled(tmp_path_factory):
    """The digits with 30 wrong labels as a table, and a run on them."""
    folder = tmp_path_factory.mktemp("mislabelled")
    data = load_digits()
    labels = data.target.copy()
    wrong = np.random.default_rng(3).choice(len(labels), WRONG, replace=False)
    labels[wrong] = (labels[wrong] + 1 + np.arange(WRONG) % 8) % 10
    header = ",".join([*(f"p{place}" for place in range(64)), "label"])
    table = folder / "digits.csv"
    np.savetxt(table, np.column_stack([data.data, labels]), "%d", ",", header=header, comments="")
    recipe = {
        "name": "mislabelled",
        "data": {
            "source": {"name": "table", "path": str(table)},
            "inputs": {"pixels": {"type": "number", "columns": [f"p{place}" for place in range(64)]}},
            "targets": {"label": {"type": "category"}},
            "split": {"val": 0.1},
        },
        "model": {"name": "mlp", "hidden": [64]},
        "train": {"epochs": 12, "batch_size": 32, "precision": "fp32"},
    }
    run = train(recipe, runs_dir=folder / "runs")
    return folder, run, wrong


def line(sample):
    """Place in the table of a sample's name, `digits.csv:17`, whose first row is in line 2."""
    return int(str(sample).rpartition(":")[2]) - 2


def test_most_wrong_labels_are_suspected_and_few_right_ones(mislabelled):
    folder, run, wrong = mislabelled
    found = review(run.path, folder / "reviewed")
    suspects = {line(suspect.sample) for suspect in found.found.suspects}
    trained = set(np.load(run.path / "data" / "sample_losses.npz")["row"].tolist()) & set(wrong.tolist())
    assert len(suspects & trained) >= 0.85 * len(trained)
    assert len(suspects - trained) <= 0.02 * 1797
    report = json.loads((run.path / "report.json").read_text())
    assert len(report["hard_samples"]["suspects"]) == len(suspects)
    assert "Hard training samples" in (run.path / "report.html").read_text()


def test_the_written_recipe_trains_without_the_suspects(mislabelled):
    folder, run, _ = mislabelled
    found = review(run.path, folder / "fewer", limit=5)
    assert found.left_out == 5
    reasons = (folder / "fewer" / "fixes.jsonl").read_text().splitlines()[1:]
    assert len(reasons) == 5
    assert all("the model says" in reason for reason in reasons)
    again = train(folder / "fewer" / "recipe.yaml", {"train.epochs": 0}, runs_dir=folder / "runs")
    sizes = [json.loads((one.path / "data" / "summary.json").read_text())["sizes"] for one in (run, again)]
    assert sum(sizes[0].values()) - sum(sizes[1].values()) == 5


def test_means_lie_beside_rows_of_the_training_split_only(mislabelled):
    _, run, _ = mislabelled
    kept = np.load(run.path / "data" / "sample_losses.npz")
    assert set(kept["times"].tolist()) == {12}
    assert np.isfinite(kept["mean"]).all()
    assert len(kept["row"]) == json.loads((run.path / "data" / "summary.json").read_text())["sizes"]["train"]


def test_a_run_without_losses_of_samples_says_why(tmp_path):
    off = tw.train("digits", {"train.epochs": 0, "train.sample_losses": False}, runs_dir=tmp_path)
    with pytest.raises(RunError, match="kept no losses of single samples"):
        review(off.path, tmp_path / "out")
