"""Another sample rate: band-limited interpolation with a windowed sinc.

After J. O. Smith, "Digital audio resampling home page" (CCRMA, Stanford): every output sample is a
weighted sum of the input around its place in time, the weights a sinc at the lower of the two
Nyquist frequencies under a Kaiser window. Weights repeat after `new / gcd` outputs.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

ZERO_CROSSINGS = 24  # of the sinc on each side
ROLL_OFF = 0.94  # passband as a share of the lower Nyquist frequency
BETA = 10.0  # of the Kaiser window: about 100 dB of stop band
_AT_ONCE = 1 << 20  # weights that are held together


def resample(samples: npt.NDArray[np.float32], rate: int, new_rate: int) -> npt.NDArray[np.float32]:
    """Samples at another rate; silence is assumed before and behind them.

    Args:
        samples: `[T, channels]`.
        rate: Samples a second.
        new_rate: Samples a second wanted.

    Returns:
        `[ceil(T * new_rate / rate), channels]` float32.
    """
    if rate == new_rate or not len(samples):
        return samples
    common = math.gcd(rate, new_rate)
    up, down = new_rate // common, rate // common
    length = -(-len(samples) * up // down)
    cutoff = ROLL_OFF * min(1.0, up / down)
    reach = math.ceil(ZERO_CROSSINGS / cutoff)
    padded = np.pad(samples, ((reach, reach + 1), (0, 0)))
    taps = np.arange(-reach, reach + 1)
    result = np.empty((length, samples.shape[1]), dtype=np.float32)
    most = max(1, _AT_ONCE // len(taps))
    step = max(up, most // up * up) if up <= most else most  # whole periods share their weights
    weights = np.empty((0, len(taps)), dtype=np.float32)
    for start in range(0, length, step):
        places = np.arange(start, min(start + step, length))
        whole, part = places * down // up, (places * down % up) / up
        if up > most:
            weights = _weights(taps[None, :] - part[:, None], cutoff, reach)
        elif not len(weights):
            phases = _weights(taps[None, :] - part[:up, None], cutoff, reach)
            weights = np.tile(phases, (step // up, 1))
        around = (whole + reach)[:, None] + taps[None, :]
        for channel in range(samples.shape[1]):
            result[places, channel] = np.einsum("nk,nk->n", padded[around, channel], weights[: len(places)])
    return result


def _weights(distance: npt.NDArray[np.float64], cutoff: float, reach: int) -> npt.NDArray[np.float32]:
    """Weights of inputs at a distance in input samples."""
    inside = np.clip(1 - (distance / reach) ** 2, 0.0, None)
    window = np.where(np.abs(distance) <= reach, np.i0(BETA * np.sqrt(inside)) / np.i0(BETA), 0.0)
    weights: npt.NDArray[np.float32] = (cutoff * np.sinc(cutoff * distance) * window).astype(np.float32)
    return weights
