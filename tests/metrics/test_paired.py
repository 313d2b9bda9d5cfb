"""Paired tests, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trainwright.metrics.paired import group_permutation, holm, sign_test, signed_permutation


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 3), (1, 0), (0, 6), (2, 9), (40, 61), (900, 1100)])
def test_the_sign_test_is_the_binomial_test(first, second):
    expected = stats.binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert sign_test(first, second) == pytest.approx(expected, rel=1e-9)


def test_many_discordant_samples_do_not_overflow():
    assert sign_test(30_000, 60_000) == 0.0
    assert 0 < sign_test(49_500, 50_500) < 0.01


def test_few_samples_are_counted_out():
    # By hand: of eight ways to give signs to 1, 2, 3, sums as far out as 6 are +6 and -6.
    assert signed_permutation(np.array([1.0, 2.0, 3.0])) == 2 / 8
    assert signed_permutation(np.array([1.0, 2.0, -3.0])) == 1.0
    assert signed_permutation(np.array([1.0, 2.0, 3.0, 0.0, np.nan])) == 2 / 8
    assert signed_permutation(np.zeros(5)) == 1.0


def test_counting_agrees_with_scipy():
    values = np.random.default_rng(1).normal(0.4, 1, 12)
    found = stats.permutation_test((values, np.zeros(12)), lambda a, b: (a - b).mean(),
                                   permutation_type="samples", n_resamples=np.inf)  # fmt: skip
    assert signed_permutation(values) == pytest.approx(found.pvalue)


def test_draws_come_near_the_t_test_and_repeat():
    values = np.random.default_rng(2).normal(0.15, 1, 200)
    p = signed_permutation(values)
    assert p == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.01)
    assert p == signed_permutation(values)
    assert signed_permutation(np.ones(100)) == 1 / 10_000


def test_groups_of_seeds():
    # By hand: 20 ways to part six values; only the observed one and its mirror are as far apart.
    assert group_permutation([1, 2, 3], [4, 5, 6]) == 2 / 20
    assert group_permutation([1, 1], [1, 1]) == 1.0
    assert group_permutation([1], [2, 3]) is None


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
