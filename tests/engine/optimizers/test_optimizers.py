"""Every optimizer against its formula, written out coordinate by coordinate, and across a save."""

import importlib
import math

import pytest
import torch
from torch import nn

from trainwright.errors import RecipeError

NAMES = ["adamw", "adam", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "ftrl"]
GRADIENTS = [[0.5, -2.0], [-0.25, 1.0], [1.5, 0.0], [0.1, -0.3]]
START = [1.0, -2.0]


def _make(name):
    return getattr(importlib.import_module(f"trainwright.engine.optimizers.{name}"), name)


def _trained(name, **parameters):
    weight = nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer = _make(name)([("w", weight)], **parameters)
    for gradient in GRADIENTS:
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    return weight.detach().tolist()


def _slow(rule):
    """Runs a scalar rule `(w, g, t, memory) -> w` over each coordinate."""
    result = []
    for i, w in enumerate(START):
        memory = {}
        for t, gradient in enumerate(GRADIENTS, start=1):
            w = rule(w, gradient[i], t, memory)
        result.append(w)
    return result


def test_sgd_with_nesterov_momentum():
    def rule(w, g, t, m):
        g += 0.01 * w
        m["v"] = g if t == 1 else 0.9 * m["v"] + g
        return w - 0.1 * (g + 0.9 * m["v"])

    found = _trained("sgd", lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    assert found == pytest.approx(_slow(rule), rel=1e-12)


def _adam(w, g, t, m, lr=0.1):
    m["m"] = 0.8 * m.get("m", 0.0) + 0.2 * g
    m["v"] = 0.9 * m.get("v", 0.0) + 0.1 * g * g
    return w - lr * (m["m"] / (1 - 0.8**t)) / (math.sqrt(m["v"] / (1 - 0.9**t)) + 1e-8)


def test_adam_adds_the_penalty_to_the_gradient():
    def rule(w, g, t, m):
        return _adam(w, g + 0.02 * w, t, m)

    found = _trained("adam", lr=0.1, beta1=0.8, beta2=0.9, weight_decay=0.02)
    assert found == pytest.approx(_slow(rule), rel=1e-10)


def test_adamw_decays_the_weight_itself():
    def rule(w, g, t, m):
        return _adam(w - 0.1 * 0.02 * w, g, t, m)

    found = _trained("adamw", lr=0.1, beta1=0.8, beta2=0.9, weight_decay=0.02)
    assert found == pytest.approx(_slow(rule), rel=1e-10)


def test_rmsprop():
    def rule(w, g, t, m):
        m["v"] = 0.9 * m.get("v", 0.0) + 0.1 * g * g
        return w - 0.1 * g / (math.sqrt(m["v"]) + 1e-8)

    assert _trained("rmsprop", lr=0.1, alpha=0.9) == pytest.approx(_slow(rule), rel=1e-10)


def test_adagrad():
    def rule(w, g, t, m):
        m["s"] = m.get("s", 0.5) + g * g
        return w - 0.1 / (1 + (t - 1) * 0.3) * g / (math.sqrt(m["s"]) + 1e-10)

    found = _trained("adagrad", lr=0.1, lr_decay=0.3, initial_accumulator=0.5)
    assert found == pytest.approx(_slow(rule), rel=1e-10)


def test_adadelta():
    def rule(w, g, t, m):
        m["v"] = 0.9 * m.get("v", 0.0) + 0.1 * g * g
        update = math.sqrt(m.get("u", 0.0) + 1e-6) / math.sqrt(m["v"] + 1e-6) * g
        m["u"] = 0.9 * m.get("u", 0.0) + 0.1 * update * update
        return w - update

    assert _trained("adadelta") == pytest.approx(_slow(rule), rel=1e-10)


def test_adamax():
    def rule(w, g, t, m):
        m["m"] = 0.9 * m.get("m", 0.0) + 0.1 * g
        m["u"] = max(0.999 * m.get("u", 0.0), abs(g) + 1e-8)
        return w - 0.1 / (1 - 0.9**t) * m["m"] / m["u"]

    assert _trained("adamax", lr=0.1) == pytest.approx(_slow(rule), rel=1e-10)


def test_nadam():
    def rule(w, g, t, m):
        mu = 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004))
        ahead = 0.9 * (1 - 0.5 * 0.96 ** ((t + 1) * 0.004))
        m["p"] = m.get("p", 1.0) * mu
        m["m"] = 0.9 * m.get("m", 0.0) + 0.1 * g
        m["v"] = 0.999 * m.get("v", 0.0) + 0.001 * g * g
        mean = ahead * m["m"] / (1 - m["p"] * ahead) + (1 - mu) * g / (1 - m["p"])
        return w - 0.1 * mean / (math.sqrt(m["v"] / (1 - 0.999**t)) + 1e-8)

    assert _trained("nadam", lr=0.1) == pytest.approx(_slow(rule), rel=1e-8)


def _net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))


def _train(net, optimizer, steps):
    for step in steps:
        x = torch.sin(torch.arange(24.0) * (step + 1)).view(4, 6)
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_state_goes_on_bit_by_bit(name, tmp_path):
    whole = _net()
    _train(whole, _make(name)(list(whole.named_parameters())), range(6))
    first = _net()
    optimizer = _make(name)(list(first.named_parameters()))
    _train(first, optimizer, range(3))
    torch.save({"net": first.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    second = _net()
    second.load_state_dict(saved["net"])
    resumed = _make(name)(list(second.named_parameters()))
    resumed.load_state_dict(saved["optimizer"])
    _train(second, resumed, range(3, 6))
    for a, b in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_groups_know_the_names_of_their_parameters(name):
    net = _net()
    optimizer = _make(name)(list(net.named_parameters()))
    names = [n for group in optimizer.param_groups for n in group["param_names"]]
    assert names == [n for n, _ in net.named_parameters()]


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "adagrad"])
def test_one_kernel_updates_all_parameters_on_the_cpu(name):
    optimizer = _make(name)(list(_net().named_parameters()))
    assert all(group["fused"] for group in optimizer.param_groups)


def test_norms_and_biases_can_be_spared_from_decay():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    optimizer = _make("adamw")(list(net.named_parameters()), weight_decay=0.5, decay_norm_and_bias=False)
    decays = {n: g["weight_decay"] for g in optimizer.param_groups for n in g["param_names"]}
    assert decays == {"0.weight": 0.5, "0.bias": 0.0, "1.weight": 0.0, "1.bias": 0.0}


def test_everything_decays_otherwise():
    optimizer = _make("sgd")(list(_net().named_parameters()), weight_decay=0.5)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.5]


def test_nesterov_with_dampening_is_refused():
    with pytest.raises(RecipeError, match="dampening"):
        _make("sgd")(list(_net().named_parameters()), momentum=0.9, dampening=0.1, nesterov=True)


def test_parameters_without_memory_are_accepted():
    with torch.device("meta"):
        net = nn.Linear(2, 2)
    assert not _make("adamw")(list(net.named_parameters())).param_groups[0]["fused"]
