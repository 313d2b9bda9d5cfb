"""Numbers: each normalisation against scikit-learn or a formula, and back."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from trainwright.data.processors.number import NumberProcessor
from trainwright.data.types import BadSample

RULES = ["standard", "min_max", "robust", "log", "none"]
matrices = arrays.arrays(
    np.float64, st.tuples(st.integers(2, 20), st.integers(1, 4)), elements=st.floats(-1e6, 1e6)
)


def table(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(3, 2, (200, 3)) * [1, -5, 1000]


@pytest.mark.parametrize(
    ("rule", "scaler"),
    [("standard", StandardScaler()), ("min_max", MinMaxScaler()), ("robust", RobustScaler())],
)
def test_rules_agree_with_scikit_learn(rule, scaler):
    processor = NumberProcessor(normalise=rule)
    processor.fit(table())
    expected = scaler.fit(table()).transform(table(1))
    np.testing.assert_allclose(processor.encode_all(table(1)), expected, rtol=1e-5, atol=1e-6)


def test_log_is_a_standardised_signed_logarithm():
    processor = NumberProcessor(normalise="log")
    processor.fit(table())
    moved = np.copysign(np.log(1 + np.abs(table())), table())
    expected = (moved - moved.mean(axis=0)) / moved.std(axis=0)
    np.testing.assert_allclose(processor.encode_all(table()), expected, rtol=1e-4, atol=1e-5)


@given(matrices, st.sampled_from(RULES))
def test_decode_undoes_encode(values, rule):
    processor = NumberProcessor(normalise=rule)
    processor.fit(values)
    again = NumberProcessor.from_state(json.loads(json.dumps(processor.state())))
    stored = again.encode_all(values)
    assert stored.dtype == np.float32
    assert np.isfinite(stored).all()
    back = again.decode(torch.from_numpy(stored))
    # float32 has 24 bits, relative to the range of the column; the exponential of `log` multiplies that.
    room = 1e-6 * (np.abs(values).max(axis=0) + np.array(again.scale) + np.abs(again.offset))
    assert (np.abs(back - values) <= room * (40 if rule == "log" else 1) + 1e-6).all()


def test_a_constant_column_becomes_zeros():
    values = np.full((5, 1), 0.1)
    for rule in ("standard", "min_max", "robust", "log"):
        processor = NumberProcessor(normalise=rule)
        processor.fit(values)
        assert processor.encode_all(values).tolist() == [[0.0]] * 5, rule


def test_one_value_per_row_may_come_as_numbers_texts_or_objects():
    processor = NumberProcessor(normalise="none")
    for values in ([1, 2.5], np.array(["1", " 2.5 "]), np.array([1, "2.5"], dtype=object), [[1], [2.5]]):
        processor.fit(values)
        assert processor.encode_all(values).tolist() == [[1.0], [2.5]]
    assert processor.encode("3").tolist() == [3.0]
    assert processor.spec().shape == (1,)


def test_large_numbers_are_normalised_before_they_lose_digits():
    times = np.array([1_700_000_000.0, 1_700_000_001.0, 1_700_000_002.0])  # float32 steps by 128 there
    processor = NumberProcessor(normalise="min_max")
    processor.fit(times)
    assert processor.encode_all(times).ravel().tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("abc", "'abc' is not a number"),
        (None, "missing or NaN"),
        (float("nan"), "missing or NaN"),
        ("", "missing or NaN"),
        ("inf", "infinite"),
        (float("-inf"), "infinite"),
    ],
)
def test_what_is_no_number_is_a_bad_sample_and_does_not_disturb_the_fit(value, reason):
    processor = NumberProcessor()
    processor.fit([1.0, 3.0, value])
    assert processor.mean == [2.0]
    with pytest.raises(BadSample, match=reason):
        processor.encode(value)


def test_a_bad_value_is_named_by_its_column():
    processor = NumberProcessor(columns=["width", "height"])
    processor.fit(np.array([[1.0, 2.0], [3.0, 5.0]]))
    with pytest.raises(BadSample, match="height is missing"):
        processor.encode([1.0, None])
    with pytest.raises(BadSample, match="3 numbers where 2 are expected"):
        processor.encode([1.0, 2.0, 3.0])


def test_missing_values_may_become_the_training_mean():
    processor = NumberProcessor(missing="mean")
    processor.fit(np.array([2.0, 4.0, np.nan]))
    stored = processor.encode_all(np.array([np.nan, 3.0]))
    assert stored.ravel().tolist() == [0.0, 0.0]
    with pytest.raises(BadSample, match="infinite"):
        processor.encode(np.inf)


def test_to_tensor_is_the_stored_values():
    stored = torch.zeros(2, 3)
    assert NumberProcessor().to_tensor(stored) is stored


def test_a_range_of_next_to_nothing_is_no_scale():
    values = np.array([0.0] * 5 + [2.9e-260] * 10 + [1.0, 5.0])
    processor = NumberProcessor(normalise="robust")
    processor.fit(values)
    assert processor.scale == [pytest.approx(values.std())]
    assert np.isfinite(processor.encode_all(values)).all()
