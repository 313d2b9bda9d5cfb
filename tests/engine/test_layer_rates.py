"""Layers with a rate of their own, and layers that wait."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from trainwright import registry
from trainwright.engine.layer_rates import Unfreezing, assigned, first_steps, scale_rates, unfreezing
from trainwright.errors import ModelError, RecipeError, TrainwrightError
from trainwright.recipe.schema import LayerRate
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.training import train
from trainwright.workflows.verifying import verify_resume


def network():
    torch.manual_seed(0)
    parts = {"body": nn.Linear(3, 4), "norm": nn.BatchNorm1d(4), "head": nn.Linear(4, 2)}
    return nn.Sequential(OrderedDict(parts))


def layers(*entries):
    return [LayerRate.model_validate(entry) for entry in entries]


@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "sgd", "lr": 0.5},
        {"name": "adamw", "lr": 0.01, "weight_decay": 0.1, "decay_norm_and_bias": False},
    ],
)
def test_a_factor_scales_the_step_of_its_layers(optimizer):
    steps = {}
    for factor in (1.0, 0.1):
        model = network()
        before = {name: p.detach().clone() for name, p in model.named_parameters()}
        named = list(model.named_parameters())
        entries = layers({"names": ["body", "norm.bias"], "lr_factor": factor})
        built = registry.build("optimizer", optimizer, params=named)
        scale_rates(built, entries, assigned(named, entries))
        assert sorted(id(p) for g in built.param_groups for p in g["params"]) == sorted(
            id(p) for _, p in named
        )
        assert built.param_groups[0]["lr"] == optimizer["lr"]
        model(torch.randn(8, 3, generator=torch.Generator().manual_seed(1))).square().sum().backward()
        built.step()
        steps[factor] = {name: p.detach() - before[name] for name, p in model.named_parameters()}
    for name, step in steps[1.0].items():
        share = 0.1 if name.startswith("body") or name == "norm.bias" else 1.0
        torch.testing.assert_close(steps[0.1][name], step * share, rtol=1e-4, atol=1e-7)


def test_a_weight_belongs_to_the_first_entry_that_names_it():
    named = list(network().named_parameters())
    places = {id(p): name for name, p in named}
    owned = assigned(named, layers({"names": ["*.bias"]}, {"names": ["body"]}))
    assert [[places[id(p)] for p in part] for part in owned] == [
        ["body.bias", "norm.bias", "head.bias"],
        ["body.weight"],
    ]
    with pytest.raises(ModelError, match="entries before it"):
        assigned(named, layers({"names": ["body"]}, {"names": ["body.weight"]}))
    with pytest.raises(ModelError, match="names no weight"):
        assigned(named, layers({"names": ["boddy"]}))


def test_layers_wait_for_their_step_with_their_statistics():
    model = network().train()
    named = list(model.named_parameters())
    owned = assigned(named, layers({"names": ["body", "norm"]}))
    waiting = Unfreezing(model, [2], owned)
    statistics = []
    for step in range(4):
        assert waiting.at(step) == (step in (0, 2))
        model(torch.randn(8, 3)).sum().backward()
        assert (model.body.weight.grad is not None) == (step >= 2)
        assert model.head.weight.grad is not None
        statistics.append(model.norm.running_mean.clone())
        for parameter in model.parameters():
            parameter.grad = None
    assert statistics[0].tolist() == statistics[1].tolist() == [0] * 4
    assert statistics[2].tolist() != statistics[1].tolist() != statistics[3].tolist()
    # A resume at a later step finds them trained at once.
    later = Unfreezing(model, [2], owned)
    assert later.at(3) and model.body.weight.requires_grad


def test_what_would_never_be_trained_is_refused():
    assert first_steps(layers({"names": ["a"], "from_epoch": 1.5}), 10, 20) == [15]
    with pytest.raises(RecipeError, match="ends at epoch 2"):
        first_steps(layers({"names": ["a"], "from_epoch": 2}), 10, 20)
    model = network()
    named = list(model.named_parameters())
    with pytest.raises(RecipeError, match="nothing is trained at the start"):
        unfreezing(model, named, [3], [[p for _, p in named]])
    assert unfreezing(model, named, [0], [[named[0][1]]]) is None


QUICK = {
    "train.threads": 1,
    "train.precision": "fp32",
    "train.memory_format": "contiguous",
    "train.device": "cpu",
}
WAITING = "train.layers=[{names: ['conv*'], from_epoch: 2}]"


def test_a_training_moves_layers_from_their_epoch_on(tmp_path):
    quick = {**QUICK, "report.enabled": False, "train.schedule": "constant"}
    waiting = {"train.layers": [{"names": ["conv*"], "from_epoch": 2}]}
    run = train("digits", {**quick, **waiting, "train.epochs": 3}, runs_dir=tmp_path / "runs")
    frozen = {"train.freeze": ["conv*"], "train.epochs": 2}
    start = train("digits", {**quick, **frozen}, runs_dir=tmp_path / "runs")
    losses, until = (RunDirectory(item.path).metrics()["val/loss"] for item in (run, start))
    assert losses[:2] == until
    ends = [load_file(item.path / "weights" / "last.safetensors") for item in (start, run)]
    assert all(not torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    with pytest.raises(TrainwrightError, match="before these layers are trained"):
        train("digits", {**quick, **waiting, "train.epochs": 2}, runs_dir=tmp_path / "runs")


def test_a_kill_before_and_after_the_change_changes_no_bit(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    quick = [f"{key}={value}" for key, value in QUICK.items()]
    given = [*quick, WAITING, "train.epochs=8", "train.checkpoint.every_steps=4", "data.split.test=0.5"]
    found = verify_resume("digits", given, tmp_path, kills=2)
    assert len(found.kills) == 2 and found.differences == []
