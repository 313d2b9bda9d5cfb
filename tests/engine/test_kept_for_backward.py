"""What autograd keeps of a forward pass, counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainwright.engine.kept_for_backward import counting_kept, trained_bytes


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_inputs_of_layers_and_outputs_of_activations_are_kept_once(device):
    with torch.device(device):
        model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5))
        batch = torch.zeros(3, 10)
        with counting_kept(model) as kept:
            model(batch).sum()
    # The first layer keeps the batch; the ReLU its output, which the last layer keeps too.
    assert kept.bytes == 4 * 3 * (10 + 20)


def test_nothing_is_kept_without_gradients():
    model = nn.Linear(4, 4)
    with counting_kept(model) as kept, torch.no_grad():
        model(torch.zeros(2, 4))
    assert kept.bytes == 0


def test_gradients_are_those_without_counting():
    torch.manual_seed(0)
    model, batch = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2)), torch.randn(5, 6)
    model(batch).square().sum().backward()
    plain = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    with counting_kept(model):
        loss = model(batch).square().sum()
    loss.backward()
    assert all(torch.equal(p.grad, other) for p, other in zip(model.parameters(), plain, strict=True))


def test_weights_are_counted_once_and_frozen_ones_are_not_trained():
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.BatchNorm1d(3))
    model[1].requires_grad_(False)
    # 9 weights; 2 * 3 parameters and 2 * 3 statistics of four bytes, and a counter of eight.
    assert trained_bytes(model) == (4 * (9 + 12) + 8, 4 * 9)
