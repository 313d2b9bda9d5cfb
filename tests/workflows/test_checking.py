"""What is refused before data are read and a model is built, and what is checked without a model."""

from __future__ import annotations

import pytest

from trainwright import recipe as recipes
from trainwright.errors import RecipeError, UserError
from trainwright.models.heads import DEFAULTS as HEADS
from trainwright.workflows.checking import check
from trainwright.workflows.trainable import can_be_learned, refuse_untrainable
from trainwright.workflows.training import train


def test_a_training_that_needs_targets_says_so(tmp_path):
    with pytest.raises(RecipeError) as caught:
        train("digits", {"data.targets": None}, runs_dir=tmp_path / "runs")
    assert caught.value.what == "`targets` is missing"
    assert caught.value.where.startswith("digits.yaml:") and caught.value.where.endswith("data.targets")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "overrides",
    [
        {"data.targets": None},
        {"data.targets": {"label": "boxes"}, "model": {"name": "ensemble", "members": ["cnn", "cnn"]}},
        {"train.sinks": [{"name": "wandb"}], "data.targets": None},
        {"report.splits": ["test", "exam"]},
        {"train.checkpoint.monitor": "val/map"},
        {"model": {"name": "mlp", "hidden": [8]}, "data.targets.label.loss": "dice"},
    ],
)
def test_what_train_refuses_is_refused_in_the_same_words(tmp_path, overrides):
    with pytest.raises(UserError) as checked:
        check("digits", overrides, runs_dir=tmp_path / "runs")
    with pytest.raises(UserError) as trained:
        train("digits", overrides, runs_dir=tmp_path / "runs")
    assert str(checked.value) == str(trained.value)
    assert checked.value.exit_code == trained.value.exit_code == 2


@pytest.mark.parametrize("kind", ["boxes", "instances", "mask", "keypoints", "image"])
def test_a_type_that_no_model_learns_is_refused_before_data_are_read(tmp_path, kind):
    given = {
        "name": "far",
        "data": {
            "source": {"name": "coco", "annotations": str(tmp_path / "absent.json")},
            "inputs": {"photo": {"type": "image", "size": 32}},
            "targets": {"what": {"type": kind}},
        },
        "model": "cnn",
    }
    with pytest.raises(RecipeError) as caught:
        train(given, runs_dir=tmp_path / "runs")
    headed = kind in HEADS
    assert caught.value.what == (
        f"model cnn does not learn {kind}" if headed else f"no model learns {kind} yet"
    )
    assert ("pyramid" in caught.value.fix) == headed
    assert caught.value.where.endswith("data.targets.what.type")


@pytest.mark.parametrize("name", ["bccd", "camvid", "facial_keypoints", "coco_mini"])
def test_what_init_writes_for_annotated_pictures_is_a_model_with_heads(shared_data, tmp_path, name):
    from trainwright.cli import main

    recipe = tmp_path / "b.yaml"
    assert main(["init", str(shared_data / name), "-o", str(recipe)]) == 0
    lines = check(recipe).lines
    assert any(line.startswith("model pyramid: ") for line in lines)
    assert any("loss of its head" in line for line in lines)


@pytest.mark.parametrize("name", ["imagenet_samples"])
def test_what_init_writes_for_what_cannot_be_learned_says_so(shared_data, tmp_path, name):
    from trainwright.cli import main

    recipe = tmp_path / "b.yaml"
    assert main(["init", str(shared_data / name), "-o", str(recipe)]) == 0
    with pytest.raises(RecipeError) as caught:
        check(recipe)
    assert "--data-only" in caught.value.fix and "data check" in caught.value.fix
    assert caught.value.where.endswith(".targets")


def test_others_do_without():
    recipe = recipes.load("digits_adversarial").recipe
    assert recipe.data.targets == {}
    refuse_untrainable(recipe)


def test_what_can_be_learned():
    assert can_be_learned(["category", "number"])
    assert can_be_learned(["category", "boxes"])
    assert not can_be_learned(["category", "text"])
    assert not can_be_learned([])


def test_a_batch_of_more_than_all_is_judged_as_all_of_them():
    lines = check("digits", {"train.batch_size": 10**12, "report.enabled": False}).lines
    assert (
        "train.batch_size is 1,000,000,000,000, and there are 1,258 to train on: a step takes all of them"
        in lines
    )
    assert any(line.startswith("memory: ") for line in lines)
