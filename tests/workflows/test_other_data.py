"""Other data for a run: at another place, or read by a source that suits them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainwright import recipe
from trainwright.errors import DataError
from trainwright.workflows.other_data import other_data


def section(name, overrides=()):
    return recipe.load(name, overrides).recipe.data


def overrides(data, path):
    return other_data(data, path).overrides


def test_a_source_with_a_place_is_pointed_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for label in ("cat", "dog"):
        (tmp_path / "a" / label).mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a" / label / "0.png")
    source = {"source": {"name": "folder", "root": "b"}, "inputs": {"image": "image"}, "targets": {}}
    data = recipe.load({"name": "x", "data": {**source, "targets": {"label": "category"}}, "model": "cnn"})
    assert overrides(data.recipe.data, tmp_path / "a") == {
        "data.source.root": str(tmp_path / "a"),
        "data.source.splits": "ignore",
    }
    with pytest.raises(DataError, match="c does not exist"):
        other_data(data.recipe.data, tmp_path / "c")


def test_class_folders_for_a_run_of_digits(tmp_path):
    for label in "01":
        (tmp_path / label).mkdir()
        for number in range(2):
            Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / label / f"{number}.png")
    changes = overrides(section("digits"), tmp_path)
    assert changes["data.source"]["name"] == "folder"
    assert set(changes) == {"data.source"}  # the columns have the names of the run's


def test_arrays_for_a_run_of_digits_are_matched_by_type(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 8, 8), np.uint8), y=np.array([0, 1, 2, 3]))
    changes = overrides(section("digits"), tmp_path / "a.npz")
    assert changes == {
        "data.source": {"name": "arrays", "path": str(tmp_path / "a.npz")},
        "data.inputs.image.column": "x",
        "data.targets.label.column": "y",
    }
    assert recipe.load("digits", changes).recipe.data.inputs["image"].column == "x"


def test_a_table_for_a_run_of_iris(tmp_path):
    names = "sepal_length,sepal_width,petal_length,petal_width"
    rows = "".join(f"5.{n},3.{n},1.{n},0.{n},{'ab'[n % 2]}\n" for n in range(9))
    (tmp_path / "t.csv").write_text(f"{names},species\n{rows}")
    assert set(overrides(section("iris"), tmp_path / "t.csv")) == {"data.source"}
    (tmp_path / "t.csv").write_text(f"{names.replace('petal_width', 'width')},species\n{rows}")
    with pytest.raises(DataError, match=r"data.inputs.flower needs the columns petal_width") as error:
        other_data(section("iris"), tmp_path / "t.csv")
    assert "features (number)" in error.value.why
