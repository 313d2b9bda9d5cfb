"""Resampling: tones keep their shape, what cannot be held vanishes, and SciPy says nearly the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from trainwright.data.processors.resampling import resample


def tone(hertz, rate, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)[:, None]


@pytest.mark.parametrize("new", [16000, 11025, 44100, 4000, 7999])
def test_a_tone_stays_that_tone(new):
    resampled = resample(tone(440, 8000), 8000, new)
    assert resampled.shape == (new, 1)
    inner = slice(new // 10, -new // 10)
    np.testing.assert_allclose(resampled[inner], tone(440, new)[inner], atol=1e-4)


def test_a_tone_above_the_new_nyquist_frequency_vanishes():
    assert np.abs(resample(tone(3000, 8000), 8000, 4000)[200:-200]).max() < 1e-4


@pytest.mark.parametrize(("rate", "new"), [(8000, 16000), (16000, 8000), (44100, 16000)])
def test_scipy_agrees_on_sound_within_both_bands(rate, new):
    noise = np.random.default_rng(0).normal(size=rate // 4)
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(len(noise), 1 / rate) > 0.35 * min(rate, new)] = 0
    quiet = np.fft.irfft(spectrum, len(noise)).astype(np.float32)[:, None]
    common = np.gcd(rate, new)
    expected = resample_poly(quiet, new // common, rate // common, window=("kaiser", 8.0))
    found = resample(quiet, rate, new)
    assert found.shape == expected.shape
    middle = slice(200, -200)
    np.testing.assert_allclose(found[middle], expected[middle], atol=0.02 * np.abs(quiet).max())


@given(st.integers(1, 60), st.integers(1, 300), st.integers(1, 300), st.integers(1, 2))
def test_any_rates_give_the_right_number_of_finite_samples(frames, rate, new, channels):
    samples = np.ones((frames, channels), dtype=np.float32)
    found = resample(samples, rate, new)
    assert found.shape == (-(-frames * new // rate), channels)
    assert np.isfinite(found).all() and np.abs(found).max() < 1.5


def test_the_same_rate_changes_nothing():
    samples = tone(100, 800)
    assert resample(samples, 800, 800) is samples
