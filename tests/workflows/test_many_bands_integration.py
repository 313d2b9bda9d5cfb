"""Pictures of many bands and 16 bits, from files to an answer."""

import csv

import numpy as np
import pytest
from PIL import Image

import trainwright as tw
from trainwright.cli import main
from trainwright.data.sniffing import sniff
from trainwright.errors import UserError
from trainwright.workflows.data_stats import data_stats
from trainwright.workflows.gate import check_data
from trainwright.workflows.showing import show_data


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """Six bands of 16 bits; what tells the classes lies within one step of 8 bits."""
    root = tmp_path_factory.mktemp("bands") / "fields"
    rng = np.random.default_rng(0)
    for name, band in (("crop", 5), ("wood", 2)):
        (root / name).mkdir(parents=True)
        for number in range(24):
            values = rng.integers(0, 90, (12, 10, 6), dtype=np.uint16)
            values[..., band] += 120
            np.save(root / name / f"{number}.npy", values)
    return root


def recipe(root, **data):
    return {
        "name": "fields",
        "data": {
            "source": {"name": "folder", "root": str(root)},
            "inputs": {"image": {"type": "image", "size": [12, 10], "depth": 16}},
            "targets": {"label": {"type": "category"}},
            "split": {"val": 0.25},
            "augment": [{"name": "random_crop", "padding": 1}],
        }
        | data,
        "model": {"name": "cnn", "widths": [8]},
        "train": {"epochs": 6, "batch_size": 8, "optimizer": {"name": "adam", "lr": 0.02}, "threads": 1},
    }


def test_bands_are_trained_on_and_answered_for(fields, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tw.train(recipe(fields))
    assert run.results["val/accuracy"] == 1.0  # at 8 bits every value would be 0 or 1
    path = str(fields / "wood" / "3.npy")
    array = np.load(path)
    for given in (path, array, array[None], array.transpose(2, 0, 1)):
        assert list(run.predict(given)["label_predicted"]) == ["wood"]
    assert main(["predict", str(run.path), path, "-o", "one.csv"]) == 0
    assert main(["predict", str(run.path), str(fields), "-o", "all.csv"]) == 0
    rows = list(csv.DictReader((tmp_path / "all.csv").open()))
    assert len(rows) == 48
    assert all(row["label_predicted"] in row["sample"] for row in rows)
    assert len(list(csv.DictReader((tmp_path / "one.csv").open()))) == 1


def test_on_the_fly_and_from_the_cache_are_the_same(fields, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [tw.train(recipe(fields, cache=cache, workers=w)) for cache, w in (("auto", 0), ("none", 2))]
    assert runs[0].results["val/accuracy"] == runs[1].results["val/accuracy"] == 1.0


def test_init_stats_show_and_the_gate_know_them(fields, tmp_path):
    guess = sniff(fields)
    bands = {"type": "image", "size": [12, 10], "mode": "bands", "depth": 16}
    assert guess.inputs == {"image": bands}
    about = data_stats(recipe(fields))["columns"]["image"]
    assert (about["processed"], about["bits"], about["modes"]) == ([6, 12, 10], {16: 48}, {"6 bands": 48})
    assert show_data(recipe(fields), tmp_path / "shown.png", count=4) == 4
    with Image.open(tmp_path / "shown.png") as sheet:
        assert sheet.width > 100
    with Image.open(tmp_path / "shown.png") as sheet:
        small = sheet.height
    show_data(recipe(fields), tmp_path / "large.png", count=4, tile=500)
    with Image.open(tmp_path / "large.png") as sheet:
        assert sheet.height == small + 300  # one row of pictures, 500 high in place of 200
    with pytest.raises(UserError, match="a picture of 5 pixels is not drawn"):
        show_data(recipe(fields), tmp_path / "none.png", tile=5)
    said = [item for item in check_data(recipe(fields)).findings.found if item["check"] == "files"]
    assert said == []
    eight = recipe(fields, inputs={"image": {"type": "image", "size": [12, 10]}})
    [told] = [item for item in check_data(eight).findings.found if item["check"] == "files"]
    assert (told["count"], told["fix"]) == (48, "give the image column depth: 16 to keep them")
