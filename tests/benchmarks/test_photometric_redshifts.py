"""The statistics of the comparison, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.photometric_redshifts import paired_interval, sigma_mad


def test_sigma_mad_by_hand_and_of_normal_numbers():
    # Median 2; distances 2, 1, 0, 1, 98; their median 1.
    assert sigma_mad(np.array([0.0, 1, 2, 3, 100])) == pytest.approx(1.4826)
    normal = np.random.default_rng(0).normal(5, 0.3, 100_000)
    assert sigma_mad(normal) == pytest.approx(0.3, rel=0.02)


def test_a_paired_interval_is_tight_where_errors_go_together():
    rng = np.random.default_rng(1)
    common = rng.normal(0, 0.1, 2000)
    low, high = paired_interval(common, common * 1.05, 0)
    assert low < -0.005 < high < 0
    assert paired_interval(common, common, 0) == (0, 0)
    low, high = paired_interval(common, rng.normal(0, 0.1, 2000), 0)
    assert low < 0 < high
