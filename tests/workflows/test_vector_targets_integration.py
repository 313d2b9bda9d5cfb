"""Several classes at once and a number as a distribution, from a table to the report and to new rows."""

from __future__ import annotations

import json

import numpy as np
import pytest

import trainwright as tw
from trainwright.inference.predictions import read_predictions


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on two numbers: their signs are the classes, their sum is the number."""
    folder = tmp_path_factory.mktemp("vectors")
    values = np.random.default_rng(0).normal(size=(240, 2))
    lines = ["a,b,tags,sum"]
    for a, b in values:
        tags = "|".join([*(["left"] if a > 0 else []), *(["right"] if b > 0 else [])])
        lines.append(f"{a:.4f},{b:.4f},{tags or '[]'},{a + b:.4f}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    recipe = {
        "name": "vectors",
        "data": {
            "source": {"name": "table", "path": str(folder / "rows.csv")},
            "inputs": {"ab": {"type": "number", "columns": ["a", "b"]}},
            "targets": {
                "tags": {"type": "categories"},
                "sum": {"type": "distribution", "bins": 12, "metrics": ["mae", "r2", "crps", "pit"]},
            },
            "split": {"val": 0.2, "test": 0.2},
        },
        "model": {"name": "mlp", "hidden": [32]},
        "train": {
            "epochs": 20,
            "batch_size": 16,
            "optimizer": {"name": "adamw", "lr": 0.01},
            "threads": 1,
            "precision": "fp32",
        },
    }
    return tw.train(recipe, runs_dir=folder / "runs", progress=False)


def test_both_are_learned_and_reported(trained):
    told = json.loads((trained.path / "report.json").read_text())["splits"]["test"]
    assert told["metrics"]["tags/average_precision"] > 0.95
    assert told["metrics"]["sum/r2"] > 0.8
    # The bins are about half a unit wide, and the probability of each lies evenly within it.
    assert told["metrics"]["sum/crps"] < 0.3
    assert told["targets"]["tags"]["type"] == "categories"
    assert told["targets"]["sum"]["r2"] == pytest.approx(told["metrics"]["sum/r2"])
    kept = read_predictions(trained.path / "evaluation" / "test" / "predictions.parquet")
    assert set().union(*kept["tags"]) == {"left", "right"}
    assert kept["sum_distribution"].shape == (48, 12)
    np.testing.assert_allclose(kept["sum_distribution"].sum(1), 1)
    assert kept["sum_below"].mean() == pytest.approx(told["metrics"]["sum/pit_mean"], abs=1e-6)
    assert kept["sum_crps"].mean() == pytest.approx(told["metrics"]["sum/crps"], abs=1e-6)
    assert told["targets"]["sum"]["crps"] == pytest.approx(told["metrics"]["sum/crps"], abs=1e-6)
    assert (trained.path / "plots" / "test-sum-pit.png").exists()
    assert (trained.path / "plots" / "test-sum-pdf-6.png").exists()
    assert "Continuous ranked probability score" in (trained.path / "report.html").read_text()


def test_new_rows_are_answered_with_names_and_numbers(trained):
    found = tw.load(trained.path).predict([{"a": 1.5, "b": 1.0}, {"a": -1.0, "b": -1.5}])
    assert found["tags_predicted"] == [["left", "right"], []]
    first, second = found["sum_predicted"].tolist()
    assert first == pytest.approx(2.5, abs=0.8)
    assert second == pytest.approx(-2.5, abs=0.8)
    assert found.records()[0]["tags_probabilities"]["left"] > 0.5
