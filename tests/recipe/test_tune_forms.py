"""A `tune` section in a form of one's own is told the form that it has."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.errors import RecipeError
from trainwright.recipe import load

LR = {"low": 1e-4, "high": 1e-1, "log": True}


def tuned(**changes: Any) -> Any:
    tune = {"space": {"train.optimizer.lr": LR}, "objectives": {"val/accuracy": "maximize"}, **changes}
    return load("digits", {"tune": tune})


@pytest.mark.parametrize(
    ("changes", "where", "fix"),
    [
        ({"stop": "median"}, "tune.stop", "stop: [median]"),
        ({"stop": {"name": "limit"}}, "tune.stop", "stop: [{name: limit}]"),
        ({"time": "2 hours"}, "tune.time", "2h"),
        ({"time": 30}, "tune.time", "30s"),
        ({"objectives": "val/f1"}, "tune.objectives", "objectives: {val/f1: maximize}"),
        ({"objectives": ["val/f1"]}, "tune.objectives", "objectives: {val/f1: maximize}"),
        ({"objectives": {"val/f1": "max"}}, "tune.objectives.val/f1", "`maximize`"),
        ({"space": []}, "tune.space", "train.optimizer.lr: {low"),
        ({"space": {"train.optimizer": {"lr": LR}}}, "train.optimizer", "write train.optimizer.lr: {...}"),
        ({"space": {"train": {"optimizer": {"lr": LR}}}}, "tune.space.train", "write train.optimizer.lr: {"),
        ({"space": {"train.optimizer.lr": [0.1, 0.2]}}, "train.optimizer.lr", "{choices: [0.1, 0.2]}"),
        ({"space": {"train.optimizer.lr": 0.1}}, "train.optimizer.lr", "{low: ..., high: ...}"),
        ({"constraints": ["model/bytes"]}, "tune.constraints", "{model/bytes: {high: 2e6}}"),
        ({"constraints": {"model/bytes": 5}}, "tune.constraints.model/bytes", "{high: 5} or {low: 5}"),
    ],
)
def test_the_right_form_is_told(changes, where, fix):
    with pytest.raises(RecipeError) as caught:
        tuned(**changes)
    assert where in caught.value.where and fix in caught.value.fix


def test_a_misspelt_key_of_a_range_is_still_told_as_such():
    with pytest.raises(RecipeError) as caught:
        tuned(space={"train.optimizer.lr": {**LR, "wen": {"train.epochs": 3}}})
    assert "unknown key `wen`" in str(caught.value) and "`when`" in caught.value.fix


def test_what_has_its_form_is_left_alone():
    recipe = tuned(stop=["median"], time="1.5h", constraints={"model/bytes": {"high": 2e6}}).recipe
    assert recipe.tune.time == "1.5h" and recipe.tune.stop[0]["name"] == "median"
