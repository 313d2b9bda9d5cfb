from typing import Any

import pytest

from trainwright.errors import RecipeError
from trainwright.recipe import load
from trainwright.recipe.nodes import split_path
from trainwright.recipe.rules import DEAD_WHEN
from trainwright.recipe.slots import annotation_at

pytestmark = pytest.mark.usefixtures("samples")


IGNORED = {"diverging": "ignore", "exploding": "ignore", "vanishing": "ignore"}


def recipe(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "x",
        "data": {
            "source": "digits",
            "inputs": {"image": {"type": "image", "size": 8}},
            "targets": {"label": "category", "price": "number"},
        },
        "model": "cnn",
    }
    base["data"].update(changes.pop("data", {}))
    return {**base, **changes}


@pytest.mark.parametrize(
    ("given", "overrides", "path"),
    [
        ({}, {"data.split": {"train": 0.8, "val": 0.2, "test": 0.1}}, "data.split"),
        ({}, {"data.split": {"val": 0.5, "test": 0.5}}, "data.split"),
        ({}, {"data.split": {"train": 0, "val": 0.5}}, "data.split"),
        ({}, {"data.split": {"seed": 3}}, "data.split.seed"),
        ({}, {"data.split": {"train": 1.0, "stratify": False}}, "data.split.stratify"),
        ({}, {"data.on_bad.limit": 0.2}, "data.on_bad.limit"),
        ({}, {"data.on_bad": {"policy": "retry", "limit": 0.2}}, "data.on_bad.limit"),
        ({}, {"data.on_bad": {"policy": "retry", "attempts": 1}}, "data.on_bad.attempts"),
        ({}, {"data.on_bad.wait": 2}, "data.on_bad.wait"),
        ({}, {"data.on_bad.attempts": 101}, "data.on_bad.attempts"),
        ({}, {"data.inputs.image.size": [100000, 100000]}, "data.inputs.image.size"),
        ({}, {"data.inputs.image.size": 18919}, "data.inputs.image.size"),
        ({}, {"data.targets.price.class_weights": "auto"}, "data.targets.price.class_weights"),
        ({}, {"data.targets.image": "category"}, "data.targets.image"),
        ({}, {"data.targets.image": {"type": "category", "column": "other"}}, "data.targets.image"),
        ({"data": {"inputs": {"x": {"type": "number", "columns": ["a", "price"]}}}}, {}, "data.inputs.x"),
        ({"data": {"inputs": {"x": {"type": "number", "column": "label"}}}}, {}, "data.inputs.x"),
        ({}, {"train.early_stop.monitor": "test/accuracy"}, "train.early_stop.monitor"),
        ({}, {"train.checkpoint.monitor": "test/loss"}, "train.checkpoint.monitor"),
        ({}, {"train.clip": {"norm": 1, "value": 1}}, "train.clip"),
        ({}, {"train.early_stop": {"mode": "max"}}, "train.early_stop.mode"),
        ({}, {"train.checkpoint.mode": "max"}, "train.checkpoint.mode"),
        ({}, {"train.health": {"every": 9, **IGNORED}}, "train.health.every"),
        ({}, {"train.micro_batch": 65}, "train.micro_batch"),
        ({}, {"train.wait_minutes": 5, "train.device": "cpu"}, "train.wait_minutes"),
        ({"data": {"split": {}}}, {"train.early_stop.monitor": "val/loss"}, "train.early_stop.monitor"),
        ({"data": {"inputs": {"size": "number"}}}, {"data.augment": ["flip"]}, "data.augment.0"),
        ({"model": {"name": "resnet18", "pretrained": True}}, {"init.path": "w"}, "model.pretrained"),
    ],
)  # fmt: skip
def test_contradiction(given: dict[str, Any], overrides: dict[str, Any], path: str):
    with pytest.raises(RecipeError) as caught:
        load(recipe(**given), overrides)
    assert path in str(caught.value).split("\n")[0]


@pytest.mark.parametrize(
    "overrides",
    [
        {"data.split": {"train": 0.7, "val": 0.2, "test": 0.1}},
        {"data.split": {"train": 0.5, "val": 0.2}},
        {"data.split": {"val": 0.2, "seed": 3, "stratify": False}},
        {"data.on_bad": {"policy": "skip", "limit": 0.2}},
        {"data.on_bad.limit": 0.01},
        {"data.on_bad": {"policy": "retry", "wait": 0.1}},
        {"data.on_bad": {"policy": "skip", "attempts": 3, "wait": 0}},
        {"data.targets.label.class_weights": "auto"},
        {"train.clip.norm": 1},
        {"train.early_stop": {"monitor": "val/loss", "mode": "min"}},
        {"train.early_stop": {"patience": 3}},
        {"train.health": {"every": 9, "diverging": "ignore", "exploding": "stop", "vanishing": "ignore"}},
        {"train.epochs": 3, "train.minutes": 5, "train.steps": 100},
        {"train.micro_batch": 64},
        {"train.wait_minutes": 5},
        {"train.wait_minutes": 5, "train.device": "cuda:1"},
        {"data.augment": ["flip"]},
        {"data.inputs.image.size": 18918},  # 3 * 18918**2 is just below 2**30
        {"data.on_bad": {"policy": "retry", "attempts": 100}},
        {"report.splits": ["val"]},
    ],
)
def test_what_makes_sense_is_accepted_and_kept(overrides: dict[str, Any]):
    read = load(recipe(), overrides).recipe.model_dump()
    for path, value in overrides.items():
        found = read
        for key in path.split("."):
            found = found[key]
        assert holds(found, value), f"{path} is {found}"


def holds(found: Any, given: Any) -> bool:
    """Whether a value of the recipe is what was given; defaults and full spellings may stand beside it."""
    if isinstance(given, dict):
        return all(holds(found[key], value) for key, value in given.items())
    if isinstance(given, list):
        return len(found) == len(given) and all(map(holds, found, given))
    return given in (found, found.get("name") if isinstance(found, dict) else None)


def test_pretrained_weights_that_only_partly_are_replaced():
    given = recipe(model={"name": "resnet18", "pretrained": True}, init={"path": "w", "exclude": ["fc.*"]})
    assert load(given).recipe.init is not None


def test_documented_dead_values_exist():
    for path in DEAD_WHEN:
        if path != "model.pretrained":  # a parameter of some models
            assert annotation_at(split_path(path), None) is not None, path


def test_a_picture_may_be_its_own_target():
    given = recipe(data={"targets": {"same": {"type": "image", "column": "image", "size": 8}}})
    assert load(given).recipe.data.targets["same"].column == "image"
