"""What a model of one's own leaves aside is told, and what it uses in either phase is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import tiny_loops

from trainwright import recipe as recipes
from trainwright.data.prepare import prepare
from trainwright.engine.build import build_network, build_task, check_network
from trainwright.engine.preflight import Preflight
from trainwright.engine.runtime import Execution
from trainwright.errors import ErrorList, ModelError, RecipeError
from trainwright.recipe.schema import Recipe
from trainwright.workflows.checking import check

EXECUTION = Execution("cpu", evaluation_batch=8)
NETS = '''
from typing import Annotated, Any
import torch
from torch import nn
from trainwright.fields import ComponentOf
from trainwright.models.arguments import build_model


class WithExtra(nn.Module):
    """A classifier with an encoder beside it, used when `use` says so."""

    def __init__(self, inputs, num_outputs: int, *,
                 extra: Annotated[dict[str, Any], ComponentOf("encoder")] = {"name": "mlp", "hidden": [3]},
                 use: str = "never"):
        super().__init__()
        self.main = nn.Linear(64, num_outputs)
        self.extra = build_model(extra, inputs, 0, kind="encoder")
        self.use = use

    def forward(self, x):
        out = self.main(x.flatten(1))
        if self.use == "always" or self.use == ("training" if self.training else "evaluation"):
            out = out + 0 * self.extra(x).sum()
        if self.use == "weights":  # without a call of any layer
            out = out + 0 * sum(p.sum() for p in self.extra.parameters())
        return out


class Reads(nn.Module):
    """Reads its inputs in the way that `how` names."""

    def __init__(self, inputs, num_outputs: int, *, how: str):
        super().__init__()
        self.names, self.how = list(inputs), how
        self.main = nn.Linear(len(inputs), num_outputs)

    def forward(self, x):
        if self.how == "values":
            columns = list(x.values())
        elif self.how == "unpack":
            columns = [value for _, value in sorted({**x}.items())]
        elif self.how == "copy":
            columns = [dict(x)[name] for name in self.names]
        elif self.how == "iterate":
            columns = [x[name] for name in x]
        elif self.how == "first":
            columns = [x[self.names[0]]] * len(self.names)
        else:
            columns = [x.get(name) for name in (self.names if self.training else self.names[:1])]
            columns = columns * (len(self.names) // len(columns))
        return self.main(torch.cat([column.flatten(1) for column in columns], 1))


class OwnLoss(nn.Module):
    """Learns `label` by a loss of its own, or by the recipe's where `asks`."""

    own_losses = ("label",)

    def __init__(self, num_outputs: int, losses, *, asks: bool):
        super().__init__()
        self.main, self.asks, self.loss = nn.Linear(64, num_outputs), asks, losses["label"]

    def forward(self, x, targets=None):
        out = self.main(x.flatten(1))
        if targets is None:
            return {"label": {"answer": out}}
        chosen = self.loss if self.asks else nn.CrossEntropyLoss(reduction="none")
        return {"label": {"answer": out, "loss": chosen(out, targets["label"])}}


def wide(num_outputs: int, *, width: int = 8, depth: int = 2) -> nn.Module:
    """Takes a depth and never reads it."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, num_outputs))
'''


@pytest.fixture(autouse=True)
def nets(tmp_path, monkeypatch):
    """A module of the user, in the current directory."""
    (tmp_path / "dead_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "dead_nets.py"
    sys.modules.pop("dead_nets", None)


def checked(recipe: Recipe, prepared: Callable[[Recipe], Any] = tiny_loops.prepared) -> Preflight:
    task, data = build_task(recipe), prepared(recipe)
    return check_network(task, build_network(task, recipe, data), recipe, data, EXECUTION)


def tiny(model: Mapping[str, Any], **more: Any) -> Recipe:
    return tiny_loops.load({"model": dict(model), **more})


EXTRA = {"name": "dead_nets:WithExtra", "extra": {"name": "mlp", "hidden": [5]}}


def test_a_component_that_is_never_called_is_dead():
    with pytest.raises(ModelError, match="encoder `mlp` is never called") as caught:
        checked(tiny(EXTRA))
    assert caught.value.where == "model.extra"


@pytest.mark.parametrize("use", ["always", "training", "evaluation", "weights"])
def test_a_component_that_either_phase_uses_is_not(use):
    assert checked(tiny({**EXTRA, "use": use})).names


def test_of_frozen_weights_nothing_is_said():
    assert checked(tiny(EXTRA, **{"train.freeze": ["extra.*"]})).names


def test_the_place_is_that_in_the_file(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "extends: digits\nname: mine\n"
        "model:\n  name: dead_nets:WithExtra\n  extra: {name: mlp, hidden: [5]}\n"
    )
    with pytest.raises(ModelError) as caught:
        check("mine.yaml", ["train.threads=1"])
    assert caught.value.where == "mine.yaml:5: model.extra"
    assert "call it in the model's forward" in caught.value.fix


def four_inputs(how: str) -> Recipe:
    return recipes.load("iris_four_inputs", {"model": {"name": "dead_nets:Reads", "how": how}}).recipe


def prepared(recipe: Recipe) -> Any:
    return prepare(recipe.data, cache_dir=Path("/nonexistent-cache"), workers=0, seed=0)


def test_an_input_that_the_model_never_reads_is_dead():
    with pytest.raises(ErrorList, match="never reads input") as caught:
        checked(four_inputs("first"), prepared)
    errors = caught.value.errors
    first, *others = four_inputs("first").data.inputs
    assert [error.where for error in errors] == [f"data.inputs.{name}" for name in others]
    assert f"data.inputs.{first}" not in str(caught.value)


@pytest.mark.parametrize("how", ["values", "unpack", "copy", "iterate", "training only"])
def test_inputs_are_read_in_any_way(how):
    assert checked(four_inputs(how), prepared).names


def test_a_loss_that_a_model_with_its_own_never_calls_is_dead():
    named = {"data.targets.label.loss": "cross_entropy"}
    with pytest.raises(ModelError, match="`loss` of target 'label' has no effect") as caught:
        checked(tiny({"name": "dead_nets:OwnLoss", "asks": False}, **named))
    assert caught.value.where == "data.targets.label.loss"
    assert checked(tiny({"name": "dead_nets:OwnLoss", "asks": True}, **named)).names
    assert checked(tiny({"name": "dead_nets:OwnLoss", "asks": False})).names


def test_weights_of_classes_that_a_model_does_not_ask_for_are_dead():
    weighed = {"data.targets.label.class_weights": "auto"}
    with pytest.raises(ModelError, match="`class_weights` of target 'label' has no effect"):
        checked(tiny({"name": "dead_nets:OwnLoss", "asks": False}, **weighed))
    assert checked(tiny({"name": "mlp", "hidden": [4]}, **weighed)).names


def test_an_optimizer_that_no_phase_uses_is_dead():
    own: dict[str, Any] = {
        f"task.{name}_optimizer": {"name": "adam", "lr": 1e-3} for name in ("generator", "discriminator")
    }
    given = {"train.optimizer": {"name": "sgd", "lr": 0.5}}
    with pytest.raises(RecipeError, match="`optimizer` has no effect") as caught:
        checked(recipes.load("digits_adversarial", {**own, **given}).recipe, prepared)
    assert caught.value.where == "train.optimizer"
    own["task.generator_optimizer"] = None
    assert checked(recipes.load("digits_adversarial", {**own, **given}).recipe, prepared).names


def test_a_parameter_that_the_code_never_reads_is_dead(nets):
    with pytest.raises(RecipeError, match="`depth` has no effect") as caught:
        tiny({"name": "dead_nets:wide", "width": 4, "depth": 3})
    line = 1 + NETS.splitlines().index(
        "def wide(num_outputs: int, *, width: int = 8, depth: int = 2) -> nn.Module:"
    )
    assert f"{nets}:{line}" in caught.value.why
    assert tiny(
        {"name": "dead_nets:wide", "width": 4, "depth": 2}
    )  # its default, which every resolved copy gives
