"""Scores of predicted distributions and redshifts, against integrals, SciPy and the paper's formulas."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.types import TensorSpec
from trainwright.metrics.crps import crps
from trainwright.metrics.pit import pit, transform
from trainwright.metrics.redshift import redshift

EDGES = (0.0, 0.5, 1.0, 2.0, 3.5, 4.0)
SPEC = TensorSpec("distribution", (5,), edges=EDGES)


def predicted(seed, count=20):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(5, 0.7), count), rng.uniform(-1, 5, (count, 1))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_crps_is_the_integral_up_to_the_true_step(seed):
    probabilities, true = predicted(seed, 3)
    grid = np.linspace(-1, 5, 600_001)
    want = []
    for row, number in zip(probabilities, true[:, 0], strict=True):
        below = np.interp(grid, EDGES, [0, *np.cumsum(row)])
        want.append(np.trapezoid((below - (grid >= number)) ** 2, grid))
    assert crps(probabilities, true, spec=SPEC)["crps"] == pytest.approx(np.mean(want), abs=1e-4)


def test_crps_of_a_sharp_distribution_is_nearly_the_absolute_error():
    edges = tuple(np.linspace(0, 1, 10_001))
    sharp = np.zeros((1, 10_000))
    sharp[0, 3_000] = 1
    spec = TensorSpec("distribution", (10_000,), edges=edges)
    assert crps(sharp, np.array([[0.7]]), spec=spec)["crps"] == pytest.approx(0.4, abs=1e-3)


def test_the_transform_is_the_probability_below_the_truth():
    probabilities, true = predicted(1)
    want = [
        np.interp(number, EDGES, [0, *np.cumsum(row)])
        for row, number in zip(probabilities, true[:, 0], strict=True)
    ]
    np.testing.assert_allclose(transform(probabilities, true, EDGES), want, atol=1e-12)


def test_the_transform_of_right_distributions_is_uniform_and_of_narrow_ones_is_not():
    rng = np.random.default_rng(0)
    count, edges = 4000, np.linspace(-12, 12, 481)
    centre = rng.normal(0, 2, count)
    true = (centre + rng.normal(0, 1, count))[:, None]
    spec = TensorSpec("distribution", (480,), edges=tuple(edges))
    said = {
        width: np.diff(scipy.stats.norm.cdf((edges - centre[:, None]) / width), axis=1)
        for width in (0.5, 1.0, 2.0)
    }
    right = pit(said[1.0], true, spec=spec)
    values = transform(said[1.0], true, spec.edges)
    assert right["pit_ks"] == pytest.approx(scipy.stats.kstest(values, "uniform").statistic)
    assert right["pit_ks"] < 0.03
    assert right["pit_mean"] == pytest.approx(0.5, abs=0.02)
    narrow, wide = pit(said[0.5], true, spec=spec), pit(said[2.0], true, spec=spec)
    assert narrow["pit_std"] > right["pit_std"] > wide["pit_std"]
    assert narrow["pit_outliers"] > 0.03 > right["pit_outliers"]
    assert narrow["pit_ks"] > 0.1


def test_redshift_statistics_by_hand():
    true = np.array([[0.0], [0.1], [0.25], [1.0]])
    dz = np.array([[0.01], [-0.02], [0.2], [0.04]])
    found = redshift(true + dz * (1 + true), true)
    assert found["bias"] == pytest.approx((0.01 - 0.02 + 0.2 + 0.04) / 4)
    # Median of dz 0.025; distances 0.015, 0.045, 0.175, 0.015; their median 0.03.
    assert found["sigma_mad"] == pytest.approx(1.4826 * 0.03)
    assert found["outliers"] == 0.25
    assert redshift(true + dz * (1 + true), true, outlier=0.03)["outliers"] == 0.5
    rng = np.random.default_rng(0)
    normal = rng.normal(0, 0.02, (100_000, 1))
    assert redshift(normal, np.zeros_like(normal))["sigma_mad"] == pytest.approx(0.02, rel=0.02)


def test_a_broken_output_never_looks_good():
    probabilities, true = predicted(2)
    probabilities[3] = np.nan
    assert np.isnan(crps(probabilities, true, spec=SPEC)["crps"])
    told = pit(probabilities, true, spec=SPEC)
    assert np.isnan(told["pit_ks"])
    assert told["pit_outliers"] >= 1 / 20
    found = redshift(np.array([[np.nan], [0.1]]), np.array([[0.1], [0.1]]))
    assert found["outliers"] == 0.5
    assert np.isnan(found["sigma_mad"])
    assert np.isnan(redshift(np.zeros((0, 1)), np.zeros((0, 1)))["bias"])
