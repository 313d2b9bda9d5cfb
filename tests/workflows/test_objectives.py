"""Which objectives a recipe's runs report at all."""

from __future__ import annotations

import pytest

from trainwright.errors import RecipeError
from trainwright.recipe import load
from trainwright.workflows.objectives import refuse_unreported, reported


@pytest.fixture
def splits(tmp_path, make_photos):
    """Pictures with a train and a test folder, and no val."""
    for name in ("train", "test"):
        make_photos(tmp_path / "photos" / name)
    return {
        "name": "photos",
        "data": {
            "source": {"name": "folder", "root": str(tmp_path / "photos")},
            "inputs": {"image": {"type": "image", "size": [16, 16]}},
            "targets": {"label": {"type": "category"}},
        },
        "model": {"name": "cnn", "widths": [4]},
    }


def test_without_a_val_split_nothing_of_it_is_reported(splits):
    names = reported(load(splits))
    assert "train/loss" in names and "model/bytes" in names
    assert not any(name.startswith("val/") for name in names)
    assert "val/accuracy" in reported(load(splits, {"data.split": {"val": 0.25}}))


def test_an_objective_on_a_split_that_is_not_there():
    with pytest.raises(RecipeError, match="no val split to compute val/accuracy on") as caught:
        refuse_unreported({"val/accuracy": "tune.objectives.val/accuracy"}, {"train/loss"})
    assert "data.split.val" in caught.value.fix


def test_the_closest_name_is_offered():
    with pytest.raises(RecipeError, match="no run reports `val/acuracy`") as caught:
        refuse_unreported({"val/acuracy": "tune.objectives"}, {"val/accuracy", "train/loss"})
    assert "`val/accuracy`" in caught.value.fix
