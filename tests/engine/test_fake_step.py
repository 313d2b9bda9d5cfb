"""Shapes are known before a weight takes memory."""

from __future__ import annotations

import pytest
import tiny_loops
import torch
from torch import Tensor, nn

from trainwright.data.batch import Batch
from trainwright.engine.build import build_network, build_task, first_batch
from trainwright.engine.fake_step import check_shapes, fake_step, without_weights
from trainwright.engine.probe import part
from trainwright.engine.runtime import Execution
from trainwright.errors import ModelError
from trainwright.tasks.base import Task

EXECUTION = Execution("cpu", evaluation_batch=32)


@pytest.fixture(scope="module")
def given() -> tuple[Task, Batch]:
    recipe = tiny_loops.load()
    data, task = tiny_loops.prepared(recipe), build_task(recipe)
    build_network(task, recipe, data)
    return task, part(first_batch(recipe, data, EXECUTION, training=True), 2)


def two_layers(width: int, then: int | None = None) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(then or width, 10))


def test_a_sound_model_goes_through_and_its_size_is_known(given):
    task, batch = given
    step = fake_step(task, lambda: two_layers(1000), batch, at_least=0)
    assert step.unknown == ""
    parameters = 64 * 1000 + 1000 + 1000 * 10 + 10
    assert step.weight_bytes == 4 * parameters


def test_the_recipes_own_model_is_tried_without_memory():
    recipe = tiny_loops.load(tiny_loops.EVERYTHING)
    step = check_shapes(recipe, tiny_loops.prepared(recipe), EXECUTION)
    assert not step.told()
    assert step.weight_bytes > 0


def test_a_model_larger_than_any_memory_is_refused_by_its_shapes(given):
    task, batch = given
    with pytest.raises(
        ModelError, match=r"layer '3' \(Linear\) fails on an input of shape \[2, 1000000000\]"
    ):
        fake_step(task, lambda: two_layers(10**9, then=10**9 + 1), batch)


def test_a_small_model_is_left_to_be_tried_in_earnest(given):
    task, batch = given
    assert not fake_step(task, lambda: two_layers(8, then=9), batch).told()
    with pytest.raises(ModelError, match=r"layer '3' \(Linear\)"):
        fake_step(task, lambda: two_layers(8, then=9), batch, at_least=0)


class LooksAtValues(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = two_layers(8)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x if x.max().item() > 0 else -x)


def test_a_model_that_looks_at_values_is_told_to_be_unknown(given):
    task, batch = given
    step = fake_step(task, LooksAtValues, batch, at_least=0)
    [told] = step.told()
    assert "real memory" in told and "meta" in told
    assert step.weight_bytes == 4 * (64 * 8 + 8 + 8 * 10 + 10)


def test_a_model_that_cannot_be_built_is_left_to_the_build(given):
    task, batch = given

    def fails() -> nn.Module:
        raise ZeroDivisionError("no layers")

    assert fake_step(task, fails, batch).unknown == "ZeroDivisionError: no layers"


def test_nothing_random_is_drawn(given):
    task, batch = given
    torch.manual_seed(5)
    before = torch.get_rng_state()
    fake_step(task, lambda: two_layers(8), batch, at_least=0)
    assert torch.equal(before, torch.get_rng_state())


def test_pretrained_weights_are_not_read_for_it():
    spec = {"name": "pyramid", "backbone": {"name": "timm", "pretrained": True}, "heads": [{"x": 1}]}
    assert without_weights(spec) == {
        "name": "pyramid",
        "backbone": {"name": "timm", "pretrained": False},
        "heads": [{"x": 1}],
    }
