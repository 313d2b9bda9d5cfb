"""Numbers as distributions: bins against NumPy's, expectations against the numbers themselves."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.processors.distribution import DistributionProcessor
from trainwright.data.types import BadSample
from trainwright.errors import DataError, RecipeError

NUMBERS = np.random.default_rng(0).lognormal(0, 1, 500)


def fitted(values=NUMBERS, **options) -> DistributionProcessor:
    processor = DistributionProcessor(**options)
    processor.fit(values)
    return processor


def batch(processor, values) -> np.ndarray:
    return processor.to_tensor(torch.from_numpy(processor.encode_all(values)))["probabilities"].numpy()


@pytest.mark.parametrize("rule", ["range", "quantile"])
def test_hard_bins_are_those_of_numpy(rule):
    processor = fitted(bins=12, rule=rule, assign="hard")
    if rule == "range":
        counts, edges = np.histogram(NUMBERS, 12)
    else:
        edges = np.quantile(NUMBERS, np.linspace(0, 1, 13))
        counts, _ = np.histogram(NUMBERS, edges)
    np.testing.assert_allclose(processor.edges, edges)
    assert processor.counts == counts.tolist()
    found = batch(processor, NUMBERS)
    assert found.sum(axis=0).tolist() == counts.tolist()
    assert set(np.unique(found)) == {0, 1}
    assert processor.spec().shape == (12,)


@given(st.floats(0.2, 3.8))
def test_a_soft_assignment_expects_the_number(value):
    processor = fitted([0.0, 4.0], bins=[0, 0.4, 1, 2.5, 4, 9])
    found = batch(processor, [value])
    assert (found >= 0).all() and found.sum() == pytest.approx(1, abs=1e-6)
    assert (found > 0).sum() <= 2
    assert processor.decode(found)[0] == pytest.approx(value, abs=1e-5)


def test_what_is_beyond_the_outer_centres_belongs_to_the_outer_bins():
    processor = fitted(bins=[0, 1, 2, 3])
    assert batch(processor, [-5, 0.1, 1.5, 2.9, 77]).tolist() == [
        [1, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]
    strict = fitted(bins=[0, 1, 2, 3], outside="error")
    with pytest.raises(BadSample, match="77 lies outside of the bins from 0 to 3"):
        strict.encode(77)


@pytest.mark.parametrize("assign", ["hard", "soft"])
def test_the_number_itself_is_kept_whatever_the_bins_make_of_it(assign):
    processor = fitted(bins=[0, 1, 2, 3], assign=assign)
    numbers = [-5, 0.1, 1.2, 2.9, 77]
    tensors = processor.to_tensor(torch.from_numpy(processor.encode_all(numbers)))
    assert tensors["number"].shape == (5, 1)
    np.testing.assert_allclose(processor.decode(tensors), numbers, rtol=1e-6)
    assert processor.spec().edges == (0, 1, 2, 3)


@given(st.integers(0, 2**32 - 1))
def test_the_median_halves_the_probability(seed):
    processor = fitted(bins=[0, 0.5, 1, 3, 4, 9], answer="median")
    probabilities = np.random.default_rng(seed).dirichlet(np.full(5, 0.3), (3, 4))
    for answer, row in zip(
        processor.decode(probabilities).ravel(), probabilities.reshape(-1, 5), strict=True
    ):
        below = np.interp(answer, processor.edges, [0, *np.cumsum(row)])
        assert below == pytest.approx(0.5, abs=1e-9)
    broken = probabilities[0] * [[np.nan], [1], [1], [1]]
    assert np.isnan(processor.decode(broken)).tolist() == [True, False, False, False]


def test_bad_values_and_bins_are_refused():
    for value in (None, float("nan"), float("inf"), "many"):
        with pytest.raises(BadSample):
            fitted().encode(value)
    with pytest.raises(RecipeError, match="no rising edges"):
        DistributionProcessor(bins=[0, 2, 1])
    with pytest.raises(DataError, match="no training value is a number"):
        fitted([None, float("nan")])


def test_equal_values_still_have_a_bin():
    for rule in ("range", "quantile"):
        processor = fitted([3.0] * 5, bins=4, rule=rule)
        assert sum(processor.counts) == 5
        assert processor.decode(batch(processor, [3.0]))[0] == pytest.approx(3, abs=0.5)


def test_a_restored_processor_encodes_alike():
    processor = fitted(bins=9, rule="quantile")
    restored = DistributionProcessor.from_state(json.loads(json.dumps(processor.state())))
    assert np.array_equal(restored.encode_all(NUMBERS), processor.encode_all(NUMBERS))
