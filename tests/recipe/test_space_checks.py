"""Bad spaces are refused before anything runs, each with its place and fix."""

import json
from typing import Any

import pytest

from trainwright.errors import ErrorList, RecipeError
from trainwright.recipe import load, salt_fields
from trainwright.recipe.space import space_of

LR = {"low": 1e-4, "high": 1e-1, "log": True}


def tuned(space: dict[str, Any], objectives: Any = None, **changes: Any) -> Any:
    more = {key: changes.pop(key) for key in ("search", "trials", "time") if key in changes}
    tune = {"space": space, "objectives": objectives or {"val/accuracy": "maximize"}, **more}
    return load("digits", {"tune": tune, **changes})


def error_of(*args: Any, **kwargs: Any) -> RecipeError:
    with pytest.raises((RecipeError, ErrorList)) as caught:
        tuned(*args, **kwargs)
    error = caught.value
    return error.errors[0] if isinstance(error, ErrorList) else error


REFUSED = [
    ({"train.optimizer.lrr": LR}, "there is no key `train.optimizer.lrr`", "`train.optimizer.lr`"),
    ({"train.optimizer.lr": {"low": 0.1, "high": 0.01}}, "from 0.1 to 0.01 is empty", "exchange"),
    ({"train.optimizer.lr": {"low": 0.1, "high": 0.1}}, "from 0.1 to 0.1 is empty", "the key itself"),
    ({"train.optimizer.lr": {"low": 0, "high": 1, "log": True}}, "logarithm of 0", "above 0"),
    ({"train.optimizer.lr": {"high": 1}}, "`low` is missing", "low and high"),
    ({"train.optimizer.lr": {}}, "`choices` is missing", "low and high"),
    ({"train.optimizer.lr": {"low": -1, "high": 1}}, "expected a number > 0, got -1", "out of the space"),
    ({"train.optimizer.lr": {"choices": ["x", 0.1]}}, "expected a number > 0, got the text `x`", ""),
    ({"train.optimizer.lr": {"choices": [0.1]}}, "one choice is nothing to search", "two or more"),
    ({"train.optimizer.lr": {"choices": [0.1, 0.2, 0.1]}}, "0.1 is there twice", "remove"),
    ({"train.optimizer.lr": {"choices": [1, 2], "low": 1}}, "`low` belongs to a range", "remove `low`"),
    ({"train.optimizer.lr": {"lo": 1, "high": 2}}, "unknown key `lo`", "`low`"),
    ({"train.batch_size": {"low": 0.5, "high": 8}}, "0.5 is no whole number", "round"),
    ({"train.batch_size": {"low": 0, "high": 8}}, "expected a whole number >= 1, got 0", ""),
    ({"train.epochs": {"low": 1, "high": 10, "step": 2}}, "10 is never met", "high: 9"),
    ({"train.optimizer.lr": {**LR, "step": 0.1}}, "steps are even", "remove"),
    ({"train.threads": {"low": 1, "high": 4}}, "changes nothing about the result", "remove"),
    ({"model.name": {"choices": ["cnn", "mpl"]}}, "there is no model `mpl`", "mlp"),
    (
        {"train.optimizer.lr": {**LR, "when": {"train.epoch": 3}}, "train.epochs": {"choices": [3, 4]}},
        "`train.epoch` is not searched",
        "`train.epochs`",
    ),
    (
        {"train.optimizer.lr": {**LR, "when": {"train.epochs": 5}}, "train.epochs": {"choices": [3, 4]}},
        "`train.epochs` is never 5",
        "3, 4",
    ),
]


@pytest.mark.parametrize(("space", "what", "fix"), REFUSED, ids=lambda item: str(item)[:40])
def test_bad_dimension(space, what, fix):
    error = error_of(space)
    assert what in str(error) and fix in error.fix
    assert error.where.startswith('override tune.space."')


def test_the_place_is_a_line_of_the_file(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(
        "extends: digits\nname: x\ntune:\n  objectives: {val/accuracy: maximize}\n  space:\n"
        "    train.optimizer.lr: {low: 0, high: 1, log: true}\n"
    )
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert caught.value.where == "r.yaml:6"
    assert caught.value.what.startswith('tune.space."train.optimizer.lr".low: ')


def test_a_value_that_the_recipe_makes_dead():
    error = error_of({"train.optimizer.nesterov": {"choices": [True, False]}}, **{"train.optimizer": "sgd"})
    assert "`nesterov: true` has no effect when momentum == 0" in error.what


def test_a_value_that_another_dimension_makes_dead():
    sgd = {"train.optimizer": {"name": "sgd", "momentum": 0.9}}
    space = {
        "train.optimizer.momentum": {"low": 0.0, "high": 0.9},
        "train.optimizer.nesterov": {"choices": [False, True]},
    }
    error = error_of(space, **sgd)
    assert "beside train.optimizer.momentum 0.0" in error.what and "when" in error.fix
    space["train.optimizer.momentum"]["low"] = 0.1
    assert len(space_of(tuned(space, **sgd).recipe).variables) == 2


def test_a_parameter_that_only_one_component_has():
    space = {
        "train.optimizer.momentum": {"low": 0.1, "high": 0.9},
        "train.optimizer": {"choices": ["adamw", "sgd"]},
    }
    error = error_of(space)
    assert "beside train.optimizer `adamw`" in error.what
    space["train.optimizer.momentum"]["when"] = {"train.optimizer": "sgd"}
    paths = [item.path for item in space_of(tuned(space).recipe).variables]
    assert paths == ["train.optimizer", "train.optimizer.momentum"]


def test_a_value_within_a_choice_that_is_searched_beside_it():
    """Whatever rate the choice gives is replaced by the searched one."""
    rate = {"low": 0.001, "high": 0.1, "log": True}
    choices = [{"name": "adamw", "lr": 0.01}, {"name": "sgd"}]
    space = {"train.optimizer": {"choices": choices}, "train.optimizer.lr": rate}
    error = error_of(space)
    assert "`lr` has no effect: `train.optimizer.lr` is searched" in error.what
    assert error.where.endswith('tune.space."train.optimizer".choices.0.lr')
    space["train.optimizer.lr"]["when"] = {"train.optimizer": "sgd"}
    assert len(space_of(tuned(space).recipe).variables) == 2


def test_dimensions_that_wait_for_each_other():
    space = {
        "train.epochs": {"choices": [1, 2], "when": {"train.batch_size": 8}},
        "train.batch_size": {"choices": [8, 16], "when": {"train.epochs": 1}},
    }
    assert "depend on themselves" in error_of(space).what


@pytest.mark.parametrize(
    ("objectives", "what"),
    [
        ({"accuracy": "maximize"}, "no run reports `accuracy`"),
        ({"test/accuracy": "maximize"}, "the test split would choose"),
        ({"val/accuracy": "max"}, "one of `maximize`, `minimize`"),
        ({}, "expected metrics and which way is better"),
    ],
)
def test_bad_objectives(objectives, what):
    with pytest.raises(RecipeError) as caught:
        load("digits", {"tune": {"space": {"train.optimizer.lr": LR}, "objectives": objectives}})
    assert what in str(caught.value)


def test_an_objective_on_a_split_that_is_not_there():
    error = error_of({"train.optimizer.lr": LR}, **{"data.split": {"val": 0.0, "test": 0.2}})
    assert "no val split" in error.what


def test_the_section_is_no_part_of_a_run():
    with_it = salt_fields(tuned({"train.optimizer.lr": LR}).recipe)
    assert json.dumps(with_it) == json.dumps(salt_fields(load("digits").recipe))


def test_an_alias_stands_for_its_key():
    space = space_of(tuned({"learning-rate": LR, "epochs": {"low": 1, "high": 3, "int": True}}).recipe)
    assert [item.integer for item in space.variables] == [False, True]


def test_keys_of_whole_numbers_get_whole_numbers():
    space = space_of(tuned({"train.batch_size": {"low": 8, "high": 64}, "train.optimizer.lr": LR}).recipe)
    assert [item.edges for item in space.variables] == [[8, 64], [1e-4, 1e-1]]
