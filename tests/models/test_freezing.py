"""Freezing by pattern, statistics of BatchNorm included."""

import copy

import pytest
import torch
from torch import nn

from trainwright.errors import ModelError
from trainwright.models.freezing import freeze, train_only


def _net():
    body = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))
    return nn.ModuleDict({"body": body, "head": nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 2))})


def _forward(net):
    torch.manual_seed(0)
    return net["head"](net["body"](torch.randn(8, 4) + 3))


@pytest.mark.parametrize("pattern", ["body", "body.*"])
def test_frozen_weights_and_statistics_stay(pattern):
    net = _net()
    frozen = freeze(net, [pattern])
    assert frozen == [name for name, _ in net.named_parameters() if name.startswith("body.")]
    net.train()
    _forward(net)
    assert net["body"][1].running_mean.abs().sum() == 0
    assert net["head"][0].running_mean.abs().sum() > 0


def test_a_copy_keeps_its_norms_frozen():
    net = _net()
    freeze(net, ["body"])
    twin = copy.deepcopy(net).train()
    _forward(twin)
    assert twin["body"][1].running_mean.abs().sum() == 0


def test_a_norm_that_is_partly_trained_goes_on():
    net = _net()
    freeze(net, ["body.1.weight"])
    net.train()
    _forward(net)
    assert net["body"][1].running_mean.abs().sum() > 0


def test_train_only_is_the_opposite():
    net = _net()
    train_only(net, ["head.1"])
    assert [n for n, p in net.named_parameters() if p.requires_grad] == ["head.1.weight", "head.1.bias"]


def test_patterns_that_name_nothing_are_refused():
    with pytest.raises(ModelError, match=r"train.freeze: .*'bdy'(.|\n)*'body'"):
        freeze(_net(), ["bdy"])
    with pytest.raises(ModelError, match=r"train.trainable: "):
        train_only(_net(), ["tail.*"])


def test_freezing_everything_is_refused():
    with pytest.raises(ModelError, match="nothing is left to train"):
        freeze(_net(), ["*"])
