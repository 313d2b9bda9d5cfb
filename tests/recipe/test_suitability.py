"""What cannot be meant, told with the components that ship."""

from typing import Any

import pytest

from trainwright.errors import ErrorList, RecipeError
from trainwright.recipe import load


def error_of(overrides: dict[str, Any], recipe: Any = "digits") -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        load(recipe, overrides)
    return caught.value


@pytest.mark.parametrize(
    ("key", "value", "what", "fix"),
    [
        (
            "metrics",
            ["mae"],
            "metric `mae` is for number and distribution, the column is category",
            "for category: accuracy",
        ),
        (
            "loss",
            "mse",
            "loss `mse` is for number and image, the column is category",
            "for category: cross_entropy",
        ),
    ],
)
def test_losses_and_metrics_are_for_types(key: str, value: Any, what: str, fix: str):
    found = error_of({f"data.targets.label.{key}": value})
    assert f"data.targets.label.{key}" in found.where
    assert what in found.what and found.fix.startswith(fix)


def test_a_target_without_weight_is_not_learned():
    assert "nothing is learned" in error_of({"data.targets.label.weight": 0}).what


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["train.optimizer.lr", "train.clip.norm"])
def test_a_number_is_finite(key: str, value: Any):
    assert error_of({key: value}).fix == "a number must be finite"


def test_an_unknown_parameter_is_told_what_there_is():
    found = error_of({"train.optimizer.momentum": 0.9})
    assert found.fix == (
        "adamw has: lr, beta1, beta2, eps, weight_decay, decay_norm_and_bias, amsgrad; "
        "sgd and rmsprop have `momentum`"
    )
    found = error_of({"data.source": {"name": "digits", "foo": 1}})
    assert "`foo`" in found.what and found.fix == "digits has no parameters: remove it"
    assert error_of({"train.optimizer": {"name": "adamw", "momentum": 0.9}}).fix.endswith("have `momentum`")
    assert error_of({"model.epochs": 3}).fix == "did you mean `train.epochs`?"
    assert error_of({"train.optimizer.weight_decy": 3}).fix == "did you mean `train.optimizer.weight_decay`?"


def test_aliases_hide_nothing():
    with pytest.raises(ErrorList) as caught:
        load("digits", {"aliases": {"train": "train.epochs", "quiet": "train.seed", "extends": "train.seed"}})
    whats = [error.what for error in caught.value.errors]
    assert whats == [
        "`train` is a key of the recipe",
        "`quiet` is an option of the command line",
        "`extends` is a key of the recipe",
    ]


def test_a_list_of_layers_in_words():
    found = error_of({"model": {"name": "layers", "layers": "Flatten"}})
    assert found.what == "expected a list of items, each a mapping or text, got the text `Flatten`"


def test_no_recipe():
    assert error_of({}, "").what == "no recipe is named"


def test_a_variable_is_asked_for_only_where_its_value_stays(monkeypatch, tmp_path):
    monkeypatch.delenv("WEIGHTS", raising=False)
    assert "WEIGHTS is not set" in error_of({}, "clothing10_finetune").what
    loaded = load("clothing10_finetune", {"init.path": "w.safetensors"})
    assert loaded.resolved["init"]["path"] == "w.safetensors"
    assert "${WEIGHTS}" in loaded.as_given
    (tmp_path / "mine.yaml").write_text("extends: clothing10_finetune\ninit: {path: w.safetensors}\n")
    assert load(tmp_path / "mine.yaml").recipe.init is not None
    with pytest.raises(RecipeError, match="NO_SUCH is not set"):
        load("digits", ["description=${NO_SUCH}"])
    with pytest.raises(RecipeError, match="NO_SUCH is not set"):
        load("digits", {"description": "${NO_SUCH}"})


@pytest.mark.parametrize(
    ("key", "listed"),
    [
        ("sinks", ["tensorboard", "tensorboard"]),
        ("callbacks", [{"name": "best", "monitor": "val/loss"}, {"name": "best", "monitor": "val/loss"}]),
    ],
)
def test_what_is_listed_twice_is_told(key, listed):
    error = error_of({f"train.{key}": listed})
    assert "listed twice" in str(error) and f"train.{key}.1" in str(error)
    load("digits", {f"train.{key}": listed[:1]})
