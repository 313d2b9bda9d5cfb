"""The optimizer's side of a step: micro-batches, clipping, and a state that comes back by name."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import nn
from torch.nn import functional

from trainwright import registry
from trainwright.engine.phase_runner import PhaseRunner
from trainwright.engine.schedules.constant import Constant
from trainwright.engine.schedules.one_cycle import OneCycle
from trainwright.engine.state_tree import flatten, unflatten
from trainwright.tasks.base import Phase

OPTIMIZERS = ["adamw", "adam", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "ftrl"]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 5)
    ).double()


def runner(model: nn.Module, optimizer: str | dict[str, Any] = "sgd", **given: Any) -> PhaseRunner:
    named = tuple(model.named_parameters())
    spec = registry.validate("optimizer", optimizer, where="train.optimizer")
    schedule = given.pop("schedule", None) or Constant(100, 10)
    return PhaseRunner(
        Phase("train", named), registry.build("optimizer", spec, params=list(named)), schedule, **given
    )


def batch(count: int = 13) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(count, 1, 8, 8, generator=generator, dtype=torch.float64)
    return images, torch.randint(5, (count,), generator=generator)


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("micro", [1, 4, 5, 13, 20])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_micro_batches_weighted_by_count_give_the_gradient_of_the_whole(micro: int, reduction: str) -> None:
    images, labels = batch()
    model = network().eval()  # BatchNorm would see other statistics in each micro-batch
    functional.cross_entropy(model(images), labels).backward()
    whole = gradients(model)
    model.zero_grad()
    side = runner(model)
    for start in range(0, 13, micro):
        part, truth = images[start : start + micro], labels[start : start + micro]
        side.backward(functional.cross_entropy(model(part), truth, reduction=reduction), len(part), 13)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, whole[name], rtol=1e-9, atol=1e-12)


def test_a_step_clips_by_norm_then_moves_and_clears() -> None:
    images, labels = batch()
    model, plain = network().eval(), network().eval()
    side = runner(model, {"name": "sgd", "lr": 0.5}, clip_norm=0.01)
    side.backward(functional.cross_entropy(model(images), labels, reduction="none"), 13, 13)
    side.apply(0)
    functional.cross_entropy(plain(images), labels).backward()
    total = torch.sqrt(sum(p.grad.square().sum() for p in plain.parameters()))
    for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        expected = theirs.detach() - 0.5 * theirs.grad * (0.01 / (total + 1e-6))
        torch.testing.assert_close(mine.detach(), expected, rtol=1e-9, atol=1e-12)
        assert mine.grad is None


def test_clipping_by_value_bounds_every_element() -> None:
    images, labels = batch()
    model = network().eval()
    before = [p.detach().clone() for p in model.parameters()]
    side = runner(model, {"name": "sgd", "lr": 1.0}, clip_value=1e-3)
    side.backward(functional.cross_entropy(model(images), labels, reduction="none"), 13, 13)
    side.apply(0)
    moved = [(p.detach() - b).abs().max() for p, b in zip(model.parameters(), before, strict=True)]
    assert max(moved) <= 1e-3 + 1e-12


def train(side: PhaseRunner, model: nn.Module, start: int, stop: int) -> None:
    for step in range(start, stop):
        images, labels = batch(7 + step)
        images = images.to(next(model.parameters()).dtype)
        side.backward(functional.cross_entropy(model(images), labels, reduction="none"), 7 + step, 7 + step)
        side.apply(step)


def through_files(tree: Any) -> Any:
    structure, tensors = flatten(tree)
    return unflatten(json.loads(json.dumps(structure)), load(save(tensors)))


def bits(tree: Any) -> tuple[str, bytes]:
    structure, tensors = flatten(tree)
    return json.dumps(structure, sort_keys=True), save(tensors)


@pytest.mark.parametrize("channels_last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_restored_optimizer_goes_on_bit_for_bit(optimizer: str, channels_last: bool) -> None:
    def make() -> tuple[nn.Module, PhaseRunner]:
        model = network().float()
        if channels_last:
            model = model.to(memory_format=torch.channels_last)
        return model, runner(model, {"name": optimizer, "lr": 0.02}, schedule=OneCycle(9, 3))

    straight, side = make()
    train(side, straight, 0, 9)
    first, side_one = make()
    train(side_one, first, 0, 4)
    saved = through_files({"model": first.state_dict(), "optimizer": side_one.named.state_dict()})
    second, side_two = make()
    second.load_state_dict(saved["model"])
    side_two.named.load_state_dict(saved["optimizer"])
    train(side_two, second, 4, 9)
    assert bits(second.state_dict()) == bits(straight.state_dict())
    assert bits(side_two.named.state_dict()) == bits(side.named.state_dict())


def test_the_state_is_keyed_by_name_with_the_groups_values() -> None:
    model = network().float()
    side = runner(model, {"name": "adamw", "weight_decay": 0.1, "decay_norm_and_bias": False})
    train(side, model, 0, 1)
    state = side.named.state_dict()
    names = [name for name, _ in model.named_parameters()]
    assert set(state["state"]) == set(names)
    assert sorted(name for group in state["groups"] for name in group["params"]) == sorted(names)
    assert [group["weight_decay"] for group in state["groups"]] == [0.1, 0.0]
    assert all("param_names" not in group for group in state["groups"])


def test_other_parameters_are_refused_by_name() -> None:
    model = network().float()
    other = nn.Sequential(*list(copy.deepcopy(model))[:-1])
    with pytest.raises(ValueError, match=r"4\.bias.*4\.weight"):
        runner(other).named.load_state_dict(runner(model).named.state_dict())


def test_the_learning_rate_is_that_of_the_last_step() -> None:
    model = network().float()
    schedule = OneCycle(9, 3)
    side = runner(model, {"name": "sgd", "lr": 0.1}, schedule=schedule)
    train(side, model, 0, 3)
    assert side.learning_rate == pytest.approx(0.1 * schedule.factor(2))


def test_loss_scaling_of_fp16_changes_no_gradient_and_skips_an_overflow() -> None:
    images, labels = batch()
    images = images.float()
    model, plain = network().float().eval(), network().float().eval()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaled, unscaled = runner(model, {"name": "sgd", "lr": 0.5}, scaler=scaler), runner(plain, "sgd")
    for side, net in ((scaled, model), (unscaled, plain)):
        side.optimizer.param_groups[0]["lr"] = side.optimizer.param_groups[0]["initial_lr"] = 0.5
        side.backward(functional.cross_entropy(net(images), labels, reduction="none"), 13, 13)
        side.apply(0)
    for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
    before = bits(model.state_dict())
    scaled.backward(functional.cross_entropy(model(images), labels, reduction="none") * 1e38, 13, 13)
    scaled.apply(1)
    assert bits(model.state_dict()) == before
    assert scaler.get_scale() == 512.0
    restored = torch.amp.GradScaler("cpu")
    restored.load_state_dict(through_files(scaler.state_dict()))
    assert restored.state_dict() == scaler.state_dict()
