"""Each thing that can be wrong with a model is named before the first step."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tiny_loops
import torch
from torch import Tensor, nn

from trainwright.data.batch import Batch
from trainwright.engine.build import (
    build_network,
    build_task,
    check_monitors,
    first_batch,
    has_single_batch,
    rebuild_network,
)
from trainwright.engine.preflight import check_model
from trainwright.engine.runtime import Execution
from trainwright.errors import ModelError, RecipeError
from trainwright.tasks.supervised.recipe_loss import RecipeLoss
from trainwright.tasks.supervised.task import SupervisedTask

EXECUTION = Execution("cpu", evaluation_batch=32)


def setting(overrides: dict[str, Any] | None = None) -> tuple[SupervisedTask, nn.Module, Batch]:
    recipe = tiny_loops.load(overrides)
    data, task = tiny_loops.prepared(recipe), build_task(recipe)
    assert isinstance(task, SupervisedTask)
    model = build_network(task, recipe, data)
    return task, model, first_batch(recipe, data, EXECUTION, training=True)


def named(loss: Callable[..., Tensor]) -> RecipeLoss:
    return RecipeLoss(loss, "own", "data.targets.label.loss")


class Custom(nn.Module):
    """Flattens, maps to ten numbers, and does something to them."""

    def __init__(self, then: Callable[[Tensor], Tensor] = lambda x: x, outputs: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))
        self.then = then

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.body(x))


def test_a_sound_model_passes_is_not_changed_and_tells_what_will_be_measured() -> None:
    task, model, batch = setting(tiny_loops.EVERYTHING)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    names = check_model(task, model, batch).names
    assert names == {"train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/f1"}
    assert model.training
    assert all(t.equal(before[name]) for name, t in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_layer_that_does_not_fit_is_named_with_its_input() -> None:
    task, _, batch = setting()
    wrong = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(64, 8), nn.Linear(9, 10)))
    with pytest.raises(
        ModelError, match=r"layer '1\.1' \(Linear\) fails on an input of shape \[2, 8\]"
    ) as caught:
        check_model(task, wrong, batch)
    assert "RuntimeError" in caught.value.why


@pytest.mark.parametrize("error", [AssertionError(), AssertionError("224 wanted"), ZeroDivisionError("why")])
def test_whatever_a_models_own_code_raises_is_told_in_words(error: Exception) -> None:
    def fail(_: Tensor) -> Tensor:
        raise error

    task, _, batch = setting()
    with pytest.raises(ModelError) as caught:
        check_model(task, Custom(fail), batch)
    assert type(error).__name__ in caught.value.why
    assert str(error) in caught.value.why


def test_an_output_that_cannot_fit_the_target() -> None:
    task, _, batch = setting()
    with pytest.raises(ModelError, match=r"gives \[7\] per sample, target 'label' needs \[10\]"):
        check_model(task, Custom(outputs=7), batch)


def test_a_loss_that_is_no_number() -> None:
    task, _, batch = setting()
    with pytest.raises(ModelError, match="loss of the very first samples is nan"):
        check_model(task, Custom(lambda x: x * float("nan")), batch)


def test_a_loss_of_the_wrong_shape() -> None:
    task, model, batch = setting()
    task.targets[0].loss = named(lambda output, target: output.square())
    with pytest.raises(ModelError, match=r"shape \[2, 10\] for 2 samples"):
        check_model(task, model, batch)


@pytest.mark.parametrize(
    ("loss", "what", "fix"),
    [
        (lambda output, target: (output.argmax(1) != target).float(), "has no gradient", "without argmax"),
        (lambda output: output.mean(), "fails on outputs and targets", "(output, target)"),
        (lambda output, target: float(output.detach().mean()), "gives a float", "one value per sample"),
    ],
)
def test_a_loss_that_cannot_be_learned_from_is_told_at_the_loss(
    loss: Callable[..., Tensor], what: str, fix: str
) -> None:
    task, model, batch = setting()
    task.targets[0].loss = named(loss)
    with pytest.raises(ModelError) as caught:
        check_model(task, model, batch)
    assert what in caught.value.what and fix in caught.value.fix
    assert caught.value.where == "data.targets.label.loss"


def test_an_output_that_is_detached() -> None:
    task, _, batch = setting()
    with pytest.raises(ModelError, match="does not depend on any trained parameter"):
        check_model(task, Custom(lambda x: x.detach()), batch)


def test_parameters_that_no_gradient_reaches() -> None:
    class Elsewhere(Custom):
        def __init__(self) -> None:
            super().__init__()
            self.body.requires_grad_(False)
            self.unused = nn.Parameter(torch.zeros(3))

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x.requires_grad_())

    task, _, batch = setting()
    with pytest.raises(ModelError, match="no gradient reaches any parameter of phase 'train'"):
        check_model(task, Elsewhere(), batch)


class Forgetful(Custom):
    """Its output depends on numbers that no state_dict has."""

    def __init__(self) -> None:
        super().__init__()
        self.order = torch.randperm(10)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)[:, self.order]


def test_a_state_that_is_not_saved_shows_when_the_model_is_built_anew() -> None:
    task, _, batch = setting()
    torch.manual_seed(1)
    model = Forgetful()
    with pytest.raises(
        ModelError, match="after saving and loading the model, output 'label' is another"
    ) as caught:
        check_model(task, model, batch, rebuild=Forgetful)
    assert "buffer" in caught.value.fix


def test_rebuilding_gives_other_weights_of_the_same_model() -> None:
    recipe = tiny_loops.load()
    data, task = tiny_loops.prepared(recipe), build_task(recipe)
    first, second = build_network(task, recipe, data), rebuild_network(task, recipe, data)
    again = build_network(task, recipe, data)
    weights = [m.state_dict()["fc1.weight"] for m in (first, second, again)]
    assert weights[0].equal(weights[2])
    assert weights[0].shape == weights[1].shape
    assert not weights[0].equal(weights[1])


def test_a_metric_that_fails_is_told_before_training() -> None:
    task, model, batch = setting()

    def broken(output: Tensor, target: Tensor) -> dict[str, float]:
        raise ValueError("only for two classes\nand more")

    task.targets[0].metrics.append(broken)
    with pytest.raises(ModelError, match="a metric or loss fails") as caught:
        check_model(task, model, batch)
    assert caught.value.why == "ValueError: only for two classes"


def test_images_of_another_size_in_evaluation_are_found() -> None:
    overrides = {"data.augment": [{"name": "random_crop", "padding": 0, "size": [6, 6]}]}
    recipe = tiny_loops.load(overrides)
    data, task = tiny_loops.prepared(recipe), build_task(recipe)
    build_network(task, recipe, data)
    training = first_batch(recipe, data, EXECUTION, training=True)
    evaluation = first_batch(recipe, data, EXECUTION, training=False)
    assert training.inputs["image"].shape[2:] == (6, 6)
    assert evaluation.inputs["image"].shape[2:] == (8, 8)
    fits_training_only = nn.Sequential(nn.Flatten(), nn.Linear(36, 10))
    with pytest.raises(ModelError, match="layer '1' \\(Linear\\) fails on an input of shape \\[2, 64\\]"):
        check_model(task, fits_training_only, training, evaluation=evaluation)


def test_a_single_sample_is_enough_for_what_one_sample_can_show() -> None:
    task, model, batch = setting(tiny_loops.EVERYTHING)
    one = Batch(
        {name: t[:1] for name, t in batch.inputs.items()},
        {name: t[:1] for name, t in batch.targets.items()},
        batch.ids[:1],
    )
    assert "val/loss" in check_model(task, model, one).names


@pytest.mark.parametrize(
    ("overrides", "where", "words"),
    [
        (
            {"train.early_stop": {"monitor": "val/acuracy", "mode": "max"}},
            "train.early_stop.monitor",
            "val/accuracy",
        ),
        ({"train.checkpoint.monitor": "val/rmse"}, "train.checkpoint.monitor", "val/loss"),
        ({"train.schedule": {"name": "plateau", "monitor": "val/los"}}, "train.schedule.monitor", "val/loss"),
    ],
)
def test_a_watched_metric_that_nobody_computes(overrides: dict[str, Any], where: str, words: str) -> None:
    task, model, batch = setting(overrides)
    names = check_model(task, model, batch).names
    with pytest.raises(RecipeError, match="is not computed") as caught:
        check_monitors(tiny_loops.parts(tiny_loops.load(overrides)), names)
    assert caught.value.where == where
    assert words in caught.value.fix


@pytest.mark.parametrize("section", ["early_stop", "checkpoint"])
@pytest.mark.parametrize(("metric", "mode"), [("val/accuracy", "min"), ("val/loss", "max")])
def test_the_worst_of_a_metric_is_not_the_best(section: str, metric: str, mode: str) -> None:
    overrides = {f"train.{section}": {"monitor": metric, "mode": mode}}
    with pytest.raises(RecipeError, match=f"takes the worst {metric} for the best") as caught:
        tiny_loops.parts(tiny_loops.load(overrides))
    assert caught.value.where == f"train.{section}.mode"
    assert f"mode: {'max' if mode == 'min' else 'min'}" in caught.value.fix


def test_without_a_validation_split_its_metrics_cannot_be_watched() -> None:
    overrides = {"data.split": {"val": 0.0, "test": 0.9}, "train.schedule": "plateau"}
    task, model, batch = setting(overrides)
    names = check_model(task, model, batch).names
    with pytest.raises(RecipeError, match="'val/loss' is not computed") as caught:
        check_monitors(tiny_loops.parts(tiny_loops.load(overrides)), names)
    assert "no validation split" in caught.value.why


class Normed(nn.Module):
    """Ten numbers through BatchNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.BatchNorm1d(10))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def test_batch_norm_on_a_last_batch_of_one_sample_is_refused() -> None:
    task, _, batch = setting()
    check_model(task, Normed(), batch)
    check_model(task, Custom(), batch, single=True)
    with pytest.raises(ModelError, match="one sample") as caught:
        check_model(task, Normed(), batch, single=True)
    assert caught.value.where == "train.batch_size"


@pytest.mark.parametrize("size", [1, 2, 10, 32, 59, 88, 89, 178, 500])
@pytest.mark.parametrize(("world", "micro"), [(1, None), (2, None), (1, 9), (1, 10), (2, 4)])
def test_where_one_sample_is_left(size: int, world: int, micro: int | None) -> None:
    recipe = tiny_loops.load({"train.batch_size": size})
    data = tiny_loops.prepared(recipe)
    execution = Execution("cpu", evaluation_batch=32, world_size=world, micro_batch=micro)
    rows = data.splits["train"]
    pieces = [
        len(piece[start : start + (micro or size)])
        for begin in range(0, len(rows), size)
        for piece in np.array_split(rows[begin : begin + size], world)
        for start in range(0, len(piece), micro or size)
    ]
    assert has_single_batch(recipe, data, execution) is (1 in pieces)


def test_a_model_that_ends_in_softmax_is_doubted_where_the_loss_has_one() -> None:
    task, model, batch = setting()
    softmax = Custom(lambda x: x.softmax(1))
    [doubt] = check_model(task, softmax, batch).doubts
    assert "cross_entropy takes raw scores" in doubt and "softmax" in doubt
    assert check_model(task, model, batch).doubts == []
    assert check_model(task, Custom(lambda x: x.log_softmax(1)), batch).doubts == []
    with_hinge, _, _ = setting({"data.targets.label.loss": "hinge"})
    assert check_model(with_hinge, softmax, batch).doubts == []


def test_a_model_that_exits_is_an_error() -> None:
    task, _, batch = setting()
    with pytest.raises(ModelError) as caught:
        check_model(task, Custom(lambda x: sys.exit(3)), batch)
    assert caught.value.why == "SystemExit: 3"
