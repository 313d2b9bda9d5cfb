"""The lean step: same bits, and no compiler import."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from trainwright import registry
from trainwright.engine.optimizers.lean import gradient_cleaner, lean_step
from trainwright.engine.optimizers.sgd import sgd


def _net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


@pytest.mark.parametrize("name", registry.names("optimizer"))
def test_weights_equal_those_of_ordinary_steps(name):
    def make(params):
        return registry.build("optimizer", name, params=params)

    x = torch.linspace(-1, 1, 20).view(4, 5)
    plain, lean = _net(), _net()
    ordinary, ours = make(list(plain.named_parameters())), make(list(lean.named_parameters()))
    step, clear = lean_step(ours), gradient_cleaner(ours)
    for lr in (0.1, 0.05, 0.01):
        for optimizer in (ordinary, ours):
            optimizer.param_groups[0]["lr"] = lr
        plain(x).square().mean().backward()
        ordinary.step()
        ordinary.zero_grad()
        lean(x).square().mean().backward()
        step()
        clear()
        assert all(p.grad is None for p in lean.parameters())
    for a, b in zip(plain.parameters(), lean.parameters(), strict=True):
        assert torch.equal(a, b)


def test_hooks_are_honoured():
    net = _net()
    optimizer = sgd(list(net.named_parameters()))
    calls = []
    optimizer.register_step_post_hook(lambda *args: calls.append(1))
    net(torch.ones(1, 5)).sum().backward()
    lean_step(optimizer)()
    assert calls == [1]


def test_no_compiler_is_imported():
    code = """
import sys, torch
from trainwright.engine.optimizers.adamw import adamw
from trainwright.engine.optimizers.lean import gradient_cleaner, lean_step, spare_compiler_import
spare_compiler_import()
net = torch.nn.Linear(2, 2)
optimizer = adamw(list(net.named_parameters()))
net(torch.ones(1, 2)).sum().backward()
lean_step(optimizer)()
gradient_cleaner(optimizer)()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
assert "torch._dynamo" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
