"""FTRL-Proximal against algorithm 1 of the paper, one coordinate at a time."""

import math
import random

import pytest
import torch
from torch import nn

from trainwright.engine.optimizers.ftrl import ftrl


def _paper(gradients, *, alpha, beta, l1, l2, start=0.0, n=0.0):
    """Algorithm 1 for one coordinate; `start` sets z so that the first weight is it."""
    z = -start * ((beta + math.sqrt(n)) / alpha + l2) - math.copysign(l1, start) * (start != 0)
    weights = []
    for g in gradients:
        w = _closed_form(z, n, alpha, beta, l1, l2)
        sigma = (math.sqrt(n + g * g) - math.sqrt(n)) / alpha
        z, n = z + g - sigma * w, n + g * g
        weights.append(_closed_form(z, n, alpha, beta, l1, l2))
    return weights


def _closed_form(z, n, alpha, beta, l1, l2):
    if abs(z) <= l1:
        return 0.0
    return -(z - math.copysign(l1, z)) / ((beta + math.sqrt(n)) / alpha + l2)


def _ours(columns, starts, **parameters):
    weight = nn.Parameter(torch.tensor(starts, dtype=torch.float64))
    optimizer = ftrl([("w", weight)], **parameters)
    trace = []
    for row in zip(*columns, strict=True):
        weight.grad = torch.tensor(row, dtype=torch.float64)
        optimizer.step()
        trace.append(weight.tolist())
    return [list(column) for column in zip(*trace, strict=True)]


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.7), (0.5, 0.2)])
def test_follows_the_paper_from_zero(l1, l2):
    rng = random.Random(1)
    columns = [[rng.gauss(0, 1) for _ in range(30)] for _ in range(4)]
    found = _ours(columns, [0.0] * 4, lr=0.2, beta=1.5, l1=l1, l2=l2)
    for column, weights in zip(columns, found, strict=True):
        assert weights == pytest.approx(_paper(column, alpha=0.2, beta=1.5, l1=l1, l2=l2), abs=1e-12)


def test_starts_from_the_weights_that_it_is_given():
    rng = random.Random(2)
    columns, starts = [[rng.gauss(0, 1) for _ in range(20)] for _ in range(3)], [0.8, -0.1, 2.0]
    found = _ours(columns, starts, lr=0.1, beta=1.0, l1=0.05, l2=0.1, initial_accumulator=0.1)
    for column, start, weights in zip(columns, starts, found, strict=True):
        slow = _paper(column, alpha=0.1, beta=1.0, l1=0.05, l2=0.1, start=start, n=0.1)
        assert weights == pytest.approx(slow, abs=1e-12)


def test_without_penalties_it_is_adagrad():
    rng = random.Random(3)
    column, start = [rng.gauss(0, 1) for _ in range(10)], 0.7
    reference = nn.Parameter(torch.tensor([start], dtype=torch.float64))
    adagrad = torch.optim.Adagrad([reference], lr=0.3, eps=0.9)
    expected = []
    for g in column:
        reference.grad = torch.tensor([g], dtype=torch.float64)
        adagrad.step()
        expected.append(reference.item())
    assert _ours([column], [start], lr=0.3, beta=0.9)[0] == pytest.approx(expected, abs=1e-12)


def test_a_changing_rate_scales_each_step_on_its_own():
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = ftrl([("w", weight)], lr=0.5, beta=1.0)
    slow, squares = 1.0, 0.0
    for lr, g in [(0.1, 0.5), (0.5, -1.0), (0.0, 3.0), (0.2, 0.25)]:
        optimizer.param_groups[0]["lr"] = lr
        weight.grad = torch.tensor([g], dtype=torch.float64)
        optimizer.step()
        if lr:
            squares += g * g
            slow -= lr / (1.0 + math.sqrt(squares)) * g
        assert weight.item() == pytest.approx(slow, abs=1e-12)


def test_l1_keeps_weights_at_exactly_zero_until_gradients_agree():
    weight = nn.Parameter(torch.zeros(2))
    optimizer = ftrl([("w", weight)], lr=0.5, l1=0.5)
    for step in range(20):
        weight.grad = torch.tensor([0.1, 0.1 if step % 2 else -0.1])
        optimizer.step()
    assert weight[0].item() < 0
    assert weight[1].item() == 0


def test_weights_without_a_gradient_stay():
    used, unused = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    optimizer = ftrl([("a", used), ("b", unused)])
    used.grad = torch.ones(1)
    optimizer.step()
    assert unused.item() == 1.0
    assert used.item() != 1.0
