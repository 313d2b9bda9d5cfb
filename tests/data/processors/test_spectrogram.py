"""Spectra against SciPy and a written-out transform, mel bands against the definition."""

import numpy as np
import pytest
from scipy.signal import ShortTimeFFT

from trainwright.data.processors.spectrogram import mel, mel_filters, power_spectrogram


def noise(length=2000):
    return np.random.default_rng(0).normal(size=length).astype(np.float32)


def test_power_is_that_of_scipy():
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(200) / 200)
    expected = np.abs(ShortTimeFFT(hann, 80, 1.0, mfft=256, phase_shift=None).stft(noise())) ** 2
    found = power_spectrogram(noise(), 200, 80, 256)
    assert found.shape == (129, 26)
    # SciPy's frame p also lies around sample 80 p; those that touch the ends see other padding.
    inner = [place for place in range(26) if 100 <= 80 * place < 1900]
    first = (expected.shape[1] - 1 - (2000 + 99) // 80) * 0 - ShortTimeFFT(hann, 80, 1.0).p_min
    np.testing.assert_allclose(
        found[:, inner], expected[:, [place + first for place in inner]], rtol=1e-3, atol=1e-2
    )


def test_the_first_frame_is_a_written_out_transform_of_the_mirrored_signal():
    signal = noise(50)
    around = np.concatenate([signal[4:0:-1], signal[:4]]).astype(np.float64)
    windowed = around * [np.sin(np.pi * n / 8) ** 2 for n in range(8)]
    expected = [
        abs(sum(x * np.exp(-2j * np.pi * k * n / 16) for n, x in enumerate(windowed))) ** 2 for k in range(9)
    ]
    np.testing.assert_allclose(power_spectrogram(signal, 8, 3, 16)[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("length", [1, 3, 100, 101])
def test_short_sounds_have_their_frames(length):
    assert power_spectrogram(noise(length), 200, 80, 256).shape == (129, 1 + length // 80)


def test_mel_bands_by_the_definition():
    filters = mel_filters(8000, 512, 10, 100.0, 3500.0)
    assert mel(700) == pytest.approx(2595 * np.log10(2))
    step = (mel(3500) - mel(100)) / 11
    for band in range(10):
        left, middle, right = (
            700 * (10 ** ((mel(100) + k * step) / 2595) - 1) for k in range(band, band + 3)
        )
        for place in range(257):
            hertz = place * 8000 / 512
            if hertz <= left or hertz >= right:
                expected = 0.0
            elif hertz <= middle:
                expected = (hertz - left) / (middle - left)
            else:
                expected = (right - hertz) / (right - middle)
            assert filters[band, place] == pytest.approx(expected, abs=1e-6)
