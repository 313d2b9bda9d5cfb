"""The moving average against the formula, written out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainwright.engine.ema import Ema


def model() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


@pytest.mark.parametrize("warmup", [False, True])
def test_averages_follow_the_formula(warmup: bool) -> None:
    net = model()
    ema = Ema(net, decay=0.8, warmup=warmup)
    expected = {name: p.detach().double().clone() for name, p in net.named_parameters()}
    for step in range(12):
        keep = min(0.8, (1 + step) / (10 + step)) if warmup else 0.8
        with torch.no_grad():
            for index, (name, p) in enumerate(net.named_parameters()):
                p.add_(0.1 * (step + 1) * (-1) ** index)
                expected[name] = keep * expected[name] + (1 - keep) * p.double()
        ema.update()
    for name, average in ema.state_dict()["averages"].items():
        torch.testing.assert_close(average.double(), expected[name], rtol=1e-6, atol=1e-6)


def test_applied_exchanges_the_very_bits_and_puts_them_back() -> None:
    net = model()
    ema = Ema(net, decay=0.5, warmup=False)
    with torch.no_grad():
        net[0].weight.mul_(3)
    ema.update()
    weights, averages = net[0].weight.detach().clone(), ema.averages[0].clone()
    pointer = net[0].weight.data_ptr()
    with pytest.raises(KeyError), ema.applied():
        assert net[0].weight.equal(averages)
        assert not net[0].weight.equal(weights)
        raise KeyError
    assert net[0].weight.equal(weights)
    assert ema.averages[0].equal(averages)
    assert net[0].weight.data_ptr() == pointer, "the optimizer holds the parameter, which must stay the same"


def test_state_comes_back_by_name() -> None:
    first, second = Ema(model(), decay=0.9, warmup=True), Ema(model(), decay=0.9, warmup=True)
    for average in first.averages:
        average.add_(1)
    first.step = 7
    second.load_state_dict(first.state_dict())
    assert second.step == 7
    assert all(a.equal(b) for a, b in zip(first.averages, second.averages, strict=True))
    assert all(a.data_ptr() != b.data_ptr() for a, b in zip(first.averages, second.averages, strict=True))


def test_restart_begins_from_the_present_weights() -> None:
    net = model()
    ema = Ema(net, decay=0.9, warmup=True)
    ema.update()
    with torch.no_grad():
        net[0].bias.fill_(5)
    ema.restart()
    assert ema.step == 0
    assert ema.state_dict()["averages"]["0.bias"].eq(5).all()
