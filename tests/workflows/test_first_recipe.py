"""Recipes for data that nobody has described: valid, complete, and suited to type and size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from trainwright import recipe
from trainwright.workflows.first_recipe import choose_augmentation, choose_training, first_recipe, recipe_name


@dataclass
class Found:
    """What looking at data gives."""

    inputs: dict[str, dict[str, Any]]
    targets: dict[str, dict[str, Any]] = field(default_factory=lambda: {"label": {"type": "category"}})
    source: dict[str, Any] = field(default_factory=lambda: {"name": "folder", "root": "my data"})
    split: dict[str, Any] | None = field(default_factory=lambda: {"val": 0.1, "test": 0.1})
    notes: list[str] = field(default_factory=list)
    size: int = 1000

    @property
    def training(self) -> int:
        return self.size


def image(side: int) -> dict[str, dict[str, Any]]:
    return {"image": {"type": "image", "size": [side, side]}}


NUMBERS = {"features": {"type": "number", "columns": ["a", "b c"]}}


@pytest.mark.parametrize(
    ("guess", "model"),
    [
        (Found(image(8)), "cnn"),
        (Found(image(32), size=50_000), "resnet_cifar"),
        (Found(image(32), size=500), "cnn"),
        (Found(image(224)), "mobilenetv2_100"),
        (Found({"image": {"type": "image", "size": 96}}), "mobilenetv2_100"),
        (Found(NUMBERS), "mlp"),
        (Found(NUMBERS, targets={"price": {"type": "number"}}), "mlp"),
        (Found({**NUMBERS, "kind": {"type": "category"}}), "mlp"),
        (Found(NUMBERS, split=None, source={"name": "table", "path": "t: x.csv"}, notes=["a # note"]), "mlp"),
    ],
)
def test_is_a_valid_recipe_with_a_fitting_model(tmp_path, guess, model):
    text = first_recipe(guess, "mine", "my data", command="trainwright train mine.yaml")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    loaded = recipe.load(path).recipe
    assert loaded.model["name"] == model
    assert text.startswith("# trainwright train mine.yaml\n")
    given = yaml.safe_load(text)
    assert set(given) == {"name", "description", "task", "data", "model", "train"}
    assert given["data"]["source"] == guess.source
    assert list(loaded.data.inputs) == list(guess.inputs)


@pytest.mark.parametrize("size", [10, 150, 1797, 50_000, 10_000_000])
def test_training_is_neither_too_short_nor_too_long(size):
    values = choose_training(Found(NUMBERS, size=size)).values
    assert 16 <= values["batch_size"] <= 256 and 5 <= values["epochs"] <= 100
    steps = values["epochs"] * -(-size // values["batch_size"])
    # Few samples are seen 100 times, very many 5 times; in between it is about 3,000 steps.
    assert size < 800 or size > 100_000 or 2500 <= steps <= 3500


def test_small_pictures_are_never_flipped():
    assert [item["name"] for item in choose_augmentation(Found(image(28))).values["augment"]] == [
        "random_crop"
    ]
    assert choose_augmentation(Found(NUMBERS)).values == {}


def test_without_validation_nothing_is_stopped_early():
    assert "early_stop" not in choose_training(Found(NUMBERS, split={"test": 0.1})).values


@pytest.mark.parametrize(
    ("name", "expected"),
    [("flowers", "flowers"), ("my photos (2)", "my-photos-2"), ("table.csv", "table"), ("---", "my-recipe")],
)
def test_recipe_name(tmp_path, name, expected):
    path = tmp_path / name
    if "." in name:
        path.touch()
    else:
        path.mkdir()
    assert recipe_name(path) == expected
