"""Scoring on a split of the run's own data, and on other data of the same kind."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import trainwright as tw
from trainwright.inference.predictions import read_predictions

QUICK = {"train.threads": 1, "train.precision": "fp32", "data.workers": 0, "report.enabled": False}


@pytest.fixture(scope="module")
def pets(tmp_path_factory, make_photos):
    root = tmp_path_factory.mktemp("pets")
    recipe = {
        "name": "pets",
        "data": {
            "source": {"name": "folder", "root": str(make_photos(root / "photos", ["cat", "dog", "emu"]))},
            "inputs": {"image": {"type": "image", "size": [16, 16]}},
            "targets": {"label": "category"},
            "split": {"val": 0.25, "test": 0.25},
        },
        "model": {"name": "cnn", "widths": [4]},
        "train": {"steps": 20, "batch_size": 4, "optimizer": {"name": "adamw", "lr": 0.01}},
    }
    return tw.train(recipe, QUICK, runs_dir=root / "runs", progress=False)


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    root = tmp_path_factory.mktemp("prices")
    rng = np.random.default_rng(0)

    def table(path: Path, rows: int) -> Path:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["area", "town", "price"])
            for area in rng.uniform(20, 200, rows).round(1):
                writer.writerow([area, "xy"[int(area) % 2], round(area * 3000 + rng.normal(0, 1000))])
        return path

    recipe = {
        "name": "prices",
        "data": {
            "source": {"name": "table", "path": str(table(root / "known.csv", 80))},
            "inputs": {"area": "number", "town": "category"},
            "targets": {"price": "number"},
            "split": {"val": 0.2, "test": 0.2},
        },
        "model": {"name": "mlp", "hidden": [16]},
        "train": {"steps": 150, "optimizer": {"name": "adamw", "lr": 0.02}},
    }
    run = tw.train(recipe, QUICK, runs_dir=root / "runs", progress=False)
    return run, table(root / "new.csv", 30)


def scores(command, *words) -> dict[str, float]:
    answer = command("evaluate", *words, "--json")
    assert answer.code == 0, answer.err
    [found] = json.loads(answer.out).values()
    return found


def test_each_split_is_scored_as_after_training(pets, command):
    for split in ("val", "test"):
        kept = json.loads((pets.directory.evaluation(split) / "metrics.json").read_text())
        assert scores(command, str(pets.path), "--split", split) == kept
    # A split that was not scored yet is, and is kept.
    assert not pets.directory.evaluation("train").exists()
    found = scores(command, str(pets.path), "--split", "train")
    stored = read_predictions(pets.directory.evaluation("train") / "predictions.parquet")
    right = np.mean([a == b for a, b in zip(stored["label"], stored["label_predicted"], strict=True)])
    assert found["accuracy"] == pytest.approx(right) and len(stored) == 12
    table = command("evaluate", str(pets.path)).out.splitlines()
    assert table[0].split() == ["metric", "test"] and any(line.startswith("accuracy") for line in table)


def test_a_folder_of_other_pictures(pets, command, make_photos, tmp_path):
    """Fewer classes, and split folders that mean nothing here: every picture counts."""
    other = make_photos(tmp_path / "other" / "train", ["cat", "emu"], each=5)
    make_photos(tmp_path / "other" / "val", ["cat", "emu"], each=2)
    found = scores(command, str(pets.path), "--data", str(other.parent))
    paths = sorted(other.parent.rglob("*.png"))
    said = pets.predict(paths)["label_predicted"]
    right = [answer == path.parent.name for answer, path in zip(said, paths, strict=True)]
    assert len(right) == 14 and found["accuracy"] == pytest.approx(np.mean(right))


def test_a_class_that_the_run_does_not_know(pets, command, make_photos, tmp_path):
    make_photos(tmp_path / "zoo", ["cat", "yak"])
    answer = command("evaluate", str(pets.path), "--data", str(tmp_path / "zoo"))
    assert answer.code == 2 and "yak" in answer.err and "Traceback" not in answer.err


def test_another_table(prices, command):
    run, new = prices
    found = scores(command, str(run.path), "--data", str(new))
    with new.open() as file:
        rows = list(csv.DictReader(file))
    predicted = run.predict([{**row, "area": float(row["area"])} for row in rows])["price_predicted"]
    errors = predicted - np.array([float(row["price"]) for row in rows])
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-5)
    assert found["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-5)
    # From a pipe or a file numbers come as text, and are read as numbers.
    answer = command("predict", str(run.path), str(new), "--format", "json")
    assert answer.code == 0, answer.err
    by_text = [row["price_predicted"] for row in json.loads(answer.out)]
    np.testing.assert_array_equal(by_text, predicted)


def test_several_runs_are_a_table_of_their_own(pets, prices, command):
    answer = command("evaluate", str(pets.path), str(prices[0].path))
    lines = answer.out.splitlines()
    assert lines[0].split()[0] == "run" and len(lines) == 3
    assert {"accuracy", "rmse"} <= set(lines[0].split()) and "-" in lines[1].split()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--split", "tset"], "the data have no split 'tset'"),
        (["--data", "nowhere"], "nowhere does not exist"),
    ],
)
def test_what_is_not_there(pets, command, words, message):
    answer = command("evaluate", str(pets.path), *words)
    assert answer.code == 2 and message in answer.err
