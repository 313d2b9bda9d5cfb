"""Short-time spectra and mel bands of sound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def power_spectrogram(samples: npt.NDArray[np.floating], window: int, hop: int, size: int) -> Floats:
    """Squared magnitudes of short-time Fourier transforms.

    Frames of `window` samples under a periodic Hann window lie around every `hop`-th sample, the
    signal mirrored at both ends (or continued by zeros, where it is too short for that).

    Args:
        samples: `[T]`.
        window: Samples of a frame.
        hop: Samples from one frame to the next.
        size: Points of the transform, at least `window`; frames are padded with zeros.

    Returns:
        float32 `[size // 2 + 1, 1 + T // hop]`.
    """
    edge = window // 2
    long_enough = len(samples) > window - edge
    padded = np.pad(samples, (edge, window - edge), mode="reflect" if long_enough else "constant")
    count = 1 + len(samples) // hop
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    spectra = np.fft.rfft(frames * hann, n=size, axis=1)
    power: Floats = (spectra.real**2 + spectra.imag**2).T.astype(np.float32)
    return power


def mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Hertz on the mel scale, 2595 log10(1 + f / 700) (O'Shaughnessy, "Speech communication", 1987)."""
    return 2595 * np.log10(1 + np.asarray(hertz, dtype=np.float64) / 700)


def mel_filters(rate: int, size: int, bands: int, low: float, high: float) -> Floats:
    """Triangles of height 1 that overlap by half, evenly spaced in mel, over the bins of a spectrum.

    Args:
        rate: Samples a second.
        size: Points of the Fourier transform.
        bands: Number of triangles.
        low: Hertz where the first triangle begins.
        high: Hertz where the last one ends.

    Returns:
        float32 `[bands, size // 2 + 1]`. A triangle that lies between two bins is all zeros.
    """
    corners = 700 * (10 ** (np.linspace(mel(low), mel(high), bands + 2) / 2595) - 1)
    bins = np.arange(size // 2 + 1) * (rate / size)
    rising = (bins[None, :] - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - bins[None, :]) / (corners[2:] - corners[1:-1])[:, None]
    filters: Floats = np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
    return filters
