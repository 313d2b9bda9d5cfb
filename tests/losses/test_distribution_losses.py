"""Losses of numbers as distributions, against sums and integrals of one sample at a time."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.types import TensorSpec
from trainwright.losses.crps import crps
from trainwright.losses.expected_value import expected_value

B, K = 9, 5
EDGES = (0.0, 0.5, 1.0, 2.0, 3.5, 4.0)
SPEC = TensorSpec("distribution", (K,), edges=EDGES)


def case(seed=0):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(B, K, generator=draw) * 2
    return logits, torch.softmax(torch.randn(B, K, generator=draw) * 3, 1)


def softmax(row):
    powers = np.exp(row.double().numpy())
    return powers / powers.sum()


@pytest.mark.parametrize("error", ["squared", "absolute"])
def test_the_expectation_is_compared_in_units_of_the_range(error):
    logits, target = case()
    centres = [0.25, 0.75, 1.5, 2.75, 3.75]
    for row, true, loss in zip(
        logits, target, expected_value(logits, target, None, SPEC, error=error), strict=True
    ):
        said = sum(p * c for p, c in zip(softmax(row), centres, strict=True))
        want = abs(said - sum(p * c for p, c in zip(true.tolist(), centres, strict=True))) / 4.0
        assert float(loss) == pytest.approx(want**2 if error == "squared" else want, abs=1e-6)


def test_crps_is_the_integral_of_the_squared_difference():
    logits, target = case()
    grid = np.linspace(0, 4, 200_001)
    for row, true, loss in zip(logits, target, crps(logits, target, None, SPEC), strict=True):
        said = np.interp(grid, EDGES, [0, *np.cumsum(softmax(row))])
        known = np.interp(grid, EDGES, [0, *np.cumsum(true.double().numpy())])
        assert float(loss) == pytest.approx(np.trapezoid((said - known) ** 2, grid) / 4, rel=1e-4)


@pytest.mark.parametrize("name", ["cross_entropy", "expected_value", "crps", "kl"])
def test_the_loss_of_a_batch_is_the_mean_of_the_losses_of_its_samples(name):
    """Summing over the batch instead of the bins is the classical mistake of the expected value."""
    loss = getattr(import_module(f"trainwright.losses.{name}"), name)
    logits, target = case()
    given = (None, SPEC) if name in ("expected_value", "crps") else ()
    together = loss(logits, target, *given)
    alone = [loss(logits[i : i + 1], target[i : i + 1], *given) for i in range(B)]
    assert together.shape == (B,)
    torch.testing.assert_close(together.mean(), torch.cat(alone).mean())
    torch.testing.assert_close(together, torch.cat(alone))


@given(st.floats(1e-3, 1e6), st.floats(-1e6, 1e6))
def test_the_unit_of_the_number_changes_nothing(scale, shift):
    logits, target = case()
    other = TensorSpec("distribution", (K,), edges=tuple(scale * edge + shift for edge in EDGES))
    if len(set(other.edges)) == K + 1 and scale > 1e-6 * abs(shift):
        for loss in (expected_value, crps):
            got = loss(logits, target, None, other)
            torch.testing.assert_close(got, loss(logits, target, None, SPEC), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("loss", [expected_value, crps])
def test_gradients_stay_finite_where_the_model_is_sure(loss):
    sure = torch.full((2, K), -200.0)
    sure[:, 2] = 200.0
    sure.requires_grad_()
    target = torch.eye(K)[[2, 4]]
    values = loss(sure, target, None, SPEC)
    values.sum().backward()
    assert float(values[0].detach()) == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(values).all()
    assert torch.isfinite(sure.grad).all()
    half = loss(sure.detach().bfloat16(), target, None, SPEC)
    assert half.dtype == torch.float32


def test_crps_prefers_the_neighbouring_bin():
    near, far = torch.full((1, K), -50.0), torch.full((1, K), -50.0)
    near[0, 1], far[0, 4] = 50, 50
    target = torch.eye(K)[[0]]
    assert crps(near, target, None, SPEC) < crps(far, target, None, SPEC)
