"""Curves whose answer is known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.engine.rate_curve import Divergence, RateCurve, noise_of, read_curve, rounded_down, smooth

STEPS = 100
RATES = np.geomspace(1e-7, 10, STEPS)


def falling(steepest: float, rising: float, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """From 2.3 down to 0.3 by a logistic curve about `steepest`, and up again from `rising` on."""
    x = np.log10(RATES)
    down = 2.3 - 2.0 / (1 + np.exp(-4 * (x - math.log10(steepest))))
    up = np.exp(8 * np.maximum(0.0, x - math.log10(rising))) - 1
    return down + up + noise * np.random.default_rng(seed).normal(size=STEPS)


def read(losses: np.ndarray) -> RateCurve:
    """The curve, cut where the test would have ended."""
    judge = Divergence(STEPS)
    end = next((place + 1 for place, loss in enumerate(losses) if judge.observe(loss)), len(losses))
    return read_curve(RATES[:end], losses[:end], STEPS, risen=end < len(losses))


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_the_steepest_descent_and_the_minimum_are_found(noise):
    curve = read(falling(1e-3, 1e-1, noise))
    assert curve.unknown == ""
    assert curve.steepest is not None and curve.bound is not None
    # The tangent of a logistic curve is steepest in its middle; noise moves it by half a decade at most.
    assert abs(math.log10(curve.steepest) + 3) < (0.15 if noise == 0 else 0.5)
    # The loss is lowest shortly before it begins to rise, at 0.1; smoothing sees the rise earlier.
    assert 1e-2 < curve.bound <= 0.15
    assert curve.suggestion == rounded_down(math.sqrt(curve.steepest * curve.bound))


def test_the_test_ends_soon_after_the_loss_has_risen():
    losses = falling(1e-3, 1e-1)
    assert 0.1 < read(losses).rates[-1] < 1.0


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_never_taken_for_learning(seed):
    curve = read(2.3 + 0.2 * np.random.default_rng(seed).normal(size=STEPS))
    assert curve.suggestion is None and curve.steepest is None and curve.bound is None
    assert curve.unknown


def test_a_loss_that_only_rises_has_no_answer():
    curve = read(falling(1e9, 1e-4, 0.05))
    assert curve.suggestion is None and "rose" in curve.unknown


def test_a_loss_that_is_no_number_from_the_start_has_no_answer():
    curve = read(np.full(STEPS, np.nan))
    assert curve.suggestion is None and "very first" in curve.unknown


def test_a_loss_that_becomes_infinite_ends_the_test_and_leaves_the_answer():
    losses = falling(1e-3, 1e-1)
    losses[85:] = np.inf
    curve = read(losses)
    assert len(curve.rates) <= 86 and curve.suggestion is not None


def test_a_fall_of_less_than_a_hundredth_is_no_learning():
    curve = read(2.3 - 0.01 * np.linspace(0, 1, STEPS))
    assert curve.suggestion is None


def test_no_bound_where_the_loss_was_falling_to_the_end():
    curve = read(falling(3.0, 1e9))
    assert curve.bound is None and curve.steepest is not None
    assert curve.suggestion == rounded_down(curve.steepest)


def test_a_flat_loss_has_no_answer():
    assert "did not fall at any rate up to 10" in read(np.full(STEPS, 2.3)).unknown


@given(st.floats(1e-3, 1e3))
def test_the_unit_of_the_loss_does_not_matter(factor):
    losses = falling(1e-3, 1e-1, 0.1)
    assert read(factor * losses).suggestion == read(losses).suggestion


def test_losses_may_be_negative():
    losses = falling(1e-3, 1e-1, 0.1) - 1.3  # from 1 down to -1, as a log-likelihood
    assert read(losses).steepest == read(losses + 1.3).steepest


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(2, 30))
def test_smoothing_stays_within_the_values_and_is_the_same_from_both_sides(values, width):
    found = smooth(np.array(values), width)
    assert found.min() >= min(values) - 1e-6 and found.max() <= max(values) + 1e-6
    assert np.allclose(found[::-1], smooth(np.array(values[::-1]), width), atol=1e-6)


def test_smoothing_by_hand():
    # Weights 1, 1/2, 1/4 by distance: (4 * 1 + 2 * 0 + 1 * 0) / 7, (2 * 1 + 4 * 0 + 2 * 0) / 8, ...
    assert np.allclose(smooth(np.array([1.0, 0.0, 0.0]), 2.0), [4 / 7, 2 / 8, 1 / 7])


def test_noise_is_that_which_was_added():
    slope = np.linspace(5, 0, 2000)
    noisy = slope + 0.3 * np.random.default_rng(0).normal(size=2000)
    assert noise_of(noisy) == pytest.approx(0.3, rel=0.1)
    assert noise_of(slope) < 0.01 and noise_of(slope[:1]) == 0.0


@pytest.mark.parametrize(
    ("value", "low"), [(0.00259, 0.0025), (0.1, 0.1), (1.0, 1.0), (12.99, 12.0), (9.99e-7, 9.9e-7)]
)
def test_rounding_down(value, low):
    assert rounded_down(value) == low
