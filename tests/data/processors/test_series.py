"""Series: normalisation against NumPy and scikit-learn, lengths, gaps, masks and pictures by hand."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from trainwright.data.processors.series import SeriesProcessor
from trainwright.data.types import BadSample
from trainwright.errors import RecipeError

NAN = float("nan")


def fitted(values, **options):
    processor = SeriesProcessor(**options)
    processor.inspect(values)
    processor.fit(values)
    return processor


def waves(count=6, steps=20, channels=3, seed=0):
    return np.random.default_rng(seed).normal(5, 3, (count, steps, channels)) * [1, 10, -1000][:channels]


@pytest.mark.parametrize(("rule", "scaler"), [("standard", StandardScaler()), ("min_max", MinMaxScaler())])
def test_rules_agree_with_scikit_learn(rule, scaler):
    processor = fitted(waves(), normalise=rule)
    scaler.fit(waves().reshape(-1, 3))
    expected = scaler.transform(waves(seed=1).reshape(-1, 3)).reshape(6, 20, 3).transpose(0, 2, 1)
    np.testing.assert_allclose(processor.encode_all(waves(seed=1)), expected, rtol=1e-5, atol=1e-6)


def test_per_sample_takes_each_series_for_itself_and_constants_become_zeros():
    values = waves()
    values[0, :, 1] = 7
    stored = fitted(values, normalise="per_sample").encode_all(values)
    expected = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True).clip(1e-12)
    expected[0, :, 1] = 0
    np.testing.assert_allclose(stored, expected.transpose(0, 2, 1), atol=1e-5)


@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 3)),
        elements=st.floats(-1e6, 1e6),
    ),
    st.sampled_from(["standard", "min_max", "none"]),
)
def test_decode_undoes_encode_after_a_round_trip_through_json(values, rule):
    processor = fitted(values, normalise=rule)
    again = SeriesProcessor.from_state(json.loads(json.dumps(processor.state())))
    stored = again.encode_all(values)
    assert np.array_equal(stored, np.stack([again.encode(value) for value in values]))
    assert again.spec().shape == stored.shape[1:]
    room = 1e-6 * (np.abs(values).max() + np.abs(again.scale).max() + np.abs(again.offset).max()) + 1e-6
    for value, row in zip(values, torch.from_numpy(stored), strict=True):
        assert np.abs(again.decode(row) - value).max() <= room


@pytest.mark.parametrize(
    ("options", "short", "long"),
    [
        ({"align": "start"}, [1, 2, 0, 0], [1, 2, 3, 4]),
        ({"align": "center"}, [0, 1, 2, 0], [2, 3, 4, 5]),
        ({"align": "end"}, [0, 0, 1, 2], [3, 4, 5, 6]),
        ({"adjust": "resample"}, [1, 4 / 3, 5 / 3, 2], [1, 8 / 3, 13 / 3, 6]),
    ],
)
def test_lengths_are_adjusted(options, short, long):
    values = [np.array([1.0, 2.0]), np.arange(1.0, 7.0)]
    stored = fitted(values, length=4, normalise="none", **options).encode_all(values)
    np.testing.assert_allclose(stored[:, 0], [short, long], rtol=1e-6)


def test_without_a_length_all_must_have_that_of_training():
    with pytest.raises(RecipeError, match="differ in length"):
        SeriesProcessor().inspect([np.zeros(3), np.zeros(5)])
    with pytest.raises(BadSample, match="4 steps where the training series have 3"):
        fitted([np.zeros(3)]).encode(np.zeros(4))


@pytest.mark.parametrize(
    ("rule", "normalise", "expected"),
    [
        ("zero", "none", [0, 1, 0, 3, 0]),
        ("mean", "none", [2, 1, 2, 3, 2]),
        ("interpolate", "none", [1, 1, 2, 3, 3]),
        ("mean", "standard", [0, -1, 0, 1, 0]),
        ("mean", "per_sample", [0, -1, 0, 1, 0]),
    ],
)
def test_gaps(rule, normalise, expected):
    raw = np.array([NAN, 1, NAN, 3, NAN])
    processor = fitted([raw], missing=rule, normalise=normalise)
    assert processor.encode(raw)[0].tolist() == expected


def test_gaps_are_bad_samples_by_default_and_a_mask_tells_where_they_are():
    raw = np.array([[1, 5], [NAN, 6]])
    with pytest.raises(BadSample, match="step 1 of channel 0 is missing"):
        fitted([raw]).encode(raw)
    processor = fitted([raw], missing="zero", mask=True, length=3, normalise="none")
    assert processor.encode(raw).tolist() == [[1, 0, 0], [5, 6, 0], [1, 0, 0], [1, 1, 0]]
    assert processor.spec().shape == (4, 3)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (np.array([1.0, np.inf, 2.0]), "infinite"),
        (np.zeros((3, 2)), "2 channels where 1"),
        (np.zeros((2, 2, 2)), "is no series"),
        (np.zeros(0), "no values"),
        (["a", "b"], "no series of numbers"),
        (None, "no series"),
        (np.array([NAN, NAN, NAN]), "no value at all"),
        (np.array([1e300, 0, 0]), "too far outside"),
    ],
)
def test_what_is_no_series_is_a_bad_sample(raw, reason):
    with pytest.raises(BadSample, match=reason):
        fitted([np.zeros(3)], missing="interpolate", length=3).encode(raw)


def test_a_fit_on_pieces_of_any_length_is_that_on_all_values():
    parts = [waves(1, steps, 2, seed)[0] for seed, steps in enumerate([3, 50, 7])]
    parts[0][1, 0] = NAN
    processor = fitted(parts, length=5)
    joined = np.concatenate(parts)
    np.testing.assert_allclose(processor.offset, np.nanmean(joined, axis=0))
    np.testing.assert_allclose(processor.scale, np.nanstd(joined, axis=0))
    np.testing.assert_allclose([processor.low, processor.high], [np.nanmin(joined, 0), np.nanmax(joined, 0)])


def test_a_plot_draws_the_curve():
    values = np.array([[0.0, 1, 2, 3], [3, 3, 0, 0]])
    processor = fitted(list(values), as_image="plot", plot_height=4, normalise="standard")
    images = processor.to_tensor(torch.from_numpy(processor.encode_all(list(values))))
    assert processor.spec().type == "image"
    assert images.shape == (2, *processor.spec().shape) == (2, 1, 4, 4)
    rising = [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0]]
    # Between two steps the curve is at half height: pixels within half a pixel of it belong to both.
    assert (images[0, 0].flip(0).int() >= torch.eye(4, dtype=torch.int)).all()
    assert images[0, 0].sum() <= sum(map(sum, rising)) + 3
    falling = images[1, 0].int().tolist()
    assert (falling[0], falling[3]) == ([1, 1, 0, 0], [0, 0, 1, 1])
    assert [row[1] or row[2] for row in falling] == [1, 1, 1, 1]


def test_a_plot_with_a_mask_draws_nothing_in_gaps():
    raw = np.array([0.0, NAN, 2.0, 1.0])
    processor = fitted([raw], as_image="plot", plot_height=3, mask=True, missing="interpolate")
    (image,) = processor.to_tensor(torch.from_numpy(processor.encode(raw)[None]))
    assert image[1].tolist() == [[1, 0, 1, 1]] * 3
    assert image[0, :, 1].sum() == 0
    assert image[0, :, 0].sum() > 0


def test_a_matrix_is_a_picture_of_one_channel():
    values = waves()
    processor = fitted(values, as_image="matrix")
    stored = torch.from_numpy(processor.encode_all(values))
    assert processor.to_tensor(stored).shape == (6, 1, 3, 20)
    assert processor.spec().shape == (1, 3, 20)
    np.testing.assert_allclose(processor.decode(processor.to_tensor(stored)[0]), values[0], rtol=1e-4)
