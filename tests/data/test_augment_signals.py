"""Augmentations of signals against slow code that looks at one sample at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainwright.data import addressed
from trainwright.data.augment.amplitude import Amplitude
from trainwright.data.augment.base import Address
from trainwright.data.augment.frequency_mask import FrequencyMask
from trainwright.data.augment.jitter import Jitter
from trainwright.data.augment.time_mask import TimeMask
from trainwright.data.augment.time_shift import TimeShift
from trainwright.data.loader import Pipeline
from trainwright.data.processors.number import NumberProcessor
from trainwright.data.processors.series import SeriesProcessor
from trainwright.errors import RecipeError

COUNT = 30
SERIES = np.random.default_rng(1).normal(size=(COUNT, 2, 25)).astype(np.float32)
PICTURES = np.random.default_rng(2).normal(size=(COUNT, 1, 12, 25)).astype(np.float32)
IDS = np.random.default_rng(3).permutation(1000)[:COUNT]


def draws(row: int, count: int) -> np.ndarray:
    return addressed.uniform(addressed.key("augment", 4, 2, 1), np.array([row]), count)[0]


def apply(augment, values, places=slice(None)):
    return augment(torch.from_numpy(values[places].copy()), Address(4, 2, IDS[places], 1)).numpy()


@pytest.mark.parametrize(
    "augment", [Jitter(), Amplitude(), TimeShift(), TimeShift(fill="wrap"), TimeMask(count=2)]
)
@pytest.mark.parametrize("values", [SERIES, PICTURES], ids=["series", "spectrogram"])
def test_a_sample_is_the_same_in_any_batch(augment, values):
    together = apply(augment, values)
    assert together.shape == values.shape and together.dtype == np.float32
    assert not np.array_equal(together, values)
    for place in range(0, COUNT, 7):
        alone = apply(augment, values, slice(place, place + 1))
        np.testing.assert_allclose(alone[0], together[place], rtol=1e-6, atol=1e-6)


def test_noise_has_the_strength_that_was_asked_for():
    noise = (apply(Jitter(strength=0.5), SERIES) - SERIES) / SERIES.std(axis=(1, 2), keepdims=True)
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 0.5) < 0.03
    assert np.array_equal(apply(Jitter(strength=0.0), SERIES), SERIES)


def test_amplitudes():
    for sample, row, old in zip(apply(Amplitude(low=0.5, high=2.0), SERIES), IDS, SERIES, strict=True):
        np.testing.assert_allclose(sample, old * 0.5 * 4 ** draws(row, 1)[0], rtol=1e-5)
    with pytest.raises(RecipeError, match="less than low"):
        Amplitude(low=2.0, high=1.0)


def test_shifts():
    wrapped, edged = apply(TimeShift(largest=0.2, fill="wrap"), SERIES), apply(TimeShift(largest=0.2), SERIES)
    shifts = set()
    for place, row in enumerate(IDS):
        shift = int(draws(row, 1)[0] * 11) - 5
        shifts.add(shift)
        assert np.array_equal(wrapped[place], np.roll(SERIES[place], shift, axis=1))
        for step in range(25):
            source = min(max(step - shift, 0), 24)
            assert np.array_equal(edged[place, :, step], SERIES[place, :, source])
    assert min(shifts) < 0 < max(shifts)


@pytest.mark.parametrize(
    ("augment", "axis", "length"), [(TimeMask(longest=0.4), 2, 25), (FrequencyMask(widest=0.5), 1, 12)]
)
def test_masks(augment, axis, length):
    found = apply(augment, PICTURES)
    most = int((0.4 if axis == 2 else 0.5) * length)
    for place, row in enumerate(IDS):
        wide, begin = draws(row, 2)
        width = int(wide * (most + 1))
        start = int(begin * (length - width + 1))
        expected = PICTURES[place].copy()
        np.moveaxis(expected, axis, 0)[start : start + width] = PICTURES[place].mean()
        np.testing.assert_allclose(found[place], expected, atol=1e-6)


def test_a_waveform_has_no_frequencies():
    with pytest.raises(RecipeError, match="no frequencies to mask"):
        apply(FrequencyMask(), SERIES)


def test_only_inputs_of_their_types_are_changed():
    pipeline = Pipeline(
        {"s": SeriesProcessor(), "n": NumberProcessor()}, {}, [Amplitude(low=2.0, high=2.0)], seed=4
    )
    stored = {"s": torch.ones(2, 1, 3), "n": torch.ones(2, 3)}
    ready = pipeline(stored, np.arange(2), 0)
    assert (ready["s"] == 2).all() and (ready["n"] == 1).all()
