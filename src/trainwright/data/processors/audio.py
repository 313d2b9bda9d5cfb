"""Sound: files or samples become a waveform or a spectrogram of fixed length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.processors import audio_decoding as decoding
from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.processors.resampling import resample
from trainwright.data.processors.spectrogram import mel_filters, power_spectrogram
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import RecipeError
from trainwright.fields import NonNegative, Positive, PositiveInt

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
_INSPECTED = 64  # files that are looked at to settle rate and length
_FURTHEST = 500  # times the wanted rate that a file's may be, and the other way round
_FLOOR = 1e-6  # power that silence is taken to have, 60 dB below a full-scale value of 1
_SUMMED = 1 << 20  # values that are summed together
DEAD_WHEN = {
    "AudioProcessor": {
        "window": "features == 'waveform'",
        "hop": "features == 'waveform'",
        "mels": "features in ('waveform', 'spectrogram')",
        "low": "features in ('waveform', 'spectrogram')",
        "high": "features in ('waveform', 'spectrogram')",
    }
}


class AudioProcessor(ColumnProcessor):
    """A sound file, or samples `[T]` or `[T, channels]`, as a waveform or as a picture of its spectrum.

    WAV with PCM or floating-point samples is read without further packages, other formats with
    soundfile. Whole-number samples are scaled to [-1, 1]. Rates are changed by a windowed sinc.

    Stored are float32 `[C, samples]` of a waveform or `[C, bands, frames]` of a spectrogram, which models of
    images can read.

    Args:
        rate: Samples a second; when absent that of the training files, and every file must have it.
        length: Seconds; longer sounds are cut, shorter ones filled with silence. When absent the length
            that the training files have, and every file must have it.
        align: Which part of a sound is kept, and on which side of the silence it lies.
        channels: `mono` is the mean of all channels; `stereo` doubles a single one.
        features: `waveform`; `spectrogram` (power of short-time spectra); `mel` (that power in mel
            bands); `log_mel` (its natural logarithm, with a floor of 1e-6).
        window: Seconds of one frame of the spectrogram.
        hop: Seconds from one frame to the next.
        mels: Number of mel bands.
        low: Hertz where the lowest band begins.
        high: Hertz where the highest band ends; half the rate when absent.
        normalise: `dataset` subtracts the mean and divides by the standard deviation of all training
            values; `per_sample` of the sound's own; `none`.
    """

    type = "audio"
    needs_fit = True
    fits_on_encoded = True

    def __init__(
        self,
        *,
        rate: PositiveInt | None = None,
        length: Positive | None = None,
        align: Literal["start", "center", "end"] = "start",
        channels: Literal["mono", "stereo"] = "mono",
        features: Literal["waveform", "spectrogram", "mel", "log_mel"] = "log_mel",
        window: Positive = 0.025,
        hop: Positive = 0.01,
        mels: PositiveInt = 40,
        low: NonNegative = 0.0,
        high: Positive | None = None,
        normalise: Literal["dataset", "per_sample", "none"] = "dataset",
    ) -> None:
        self._parameters: dict[str, Any] = {
            "rate": rate,
            "length": length,
            "align": align,
            "channels": channels,
            "features": features,
            "window": window,
            "hop": hop,
            "mels": mels,
            "low": low,
            "high": high,
            "normalise": normalise,
        }
        self.rate = rate
        self.samples: int | None = None
        self.channels = 2 if channels == "stereo" else 1
        self.features, self.normalise, self.align = features, normalise, align
        self.mean, self.std = 0.0, 1.0
        self._filters: Floats | None = None

    def inspect(self, values: Values) -> None:
        """Settles rate and length from up to 64 evenly spaced training sounds."""
        places = sorted({round(place) for place in np.linspace(0, len(values) - 1, _INSPECTED) if place >= 0})
        looks = [look for place in places if (look := self._look(values[place])) is not None]
        rates = sorted({rate for _, rate in looks})
        if self.rate is None:
            if len(rates) > 1:
                raise RecipeError(
                    "the sounds differ in sample rate and the recipe names none",
                    why=f"found {', '.join(f'{rate} Hz' for rate in rates[:5])}",
                    fix=f"give the audio column a rate, for example rate: {rates[0]}",
                )
            self.rate = rates[0] if rates else 1
        length = self._parameters["length"]
        if length is None:
            found = sorted({round(frames * self.rate / rate) for frames, rate in looks})
            if len(found) > 1:
                low, high = found[0] / self.rate, found[-1] / self.rate
                raise RecipeError(
                    "the sounds differ in length and the recipe names none",
                    why=f"they last from {low:.3g} to {high:.3g} seconds",
                    fix=f"give the audio column a length in seconds, for example length: {high:.3g}",
                )
            self.samples = found[0] if found else 1
        else:
            self.samples = max(1, round(length * self.rate))
        self._check_bands()

    def fit(self, values: Any) -> None:
        """Mean and standard deviation over all stored training values `[N, ...]`."""
        if self.normalise != "dataset":
            return
        size = max(1, int(np.prod(values.shape[1:])))
        step = max(1, _SUMMED // size)
        total = squares = 0.0
        for start in range(0, len(values), step):
            chunk = np.asarray(values[start : start + step], dtype=np.float64)
            total += float(chunk.sum())
            squares += float((chunk**2).sum())
        count = max(1, len(values) * size)
        self.mean = total / count
        self.std = max(squares / count - self.mean**2, 0.0) ** 0.5 or 1.0

    def encode(self, raw: Any) -> np.ndarray:
        """Float32 `[C, samples]` or `[C, bands, frames]`. Raises `BadSample` with the reason."""
        assert self.rate is not None and self.samples is not None
        samples, rate = self._read(raw)
        samples = self._fixed(self._mixed(samples), rate).T
        values = samples if self.features == "waveform" else np.stack([self._spectrum(x) for x in samples])
        if self.normalise == "per_sample":
            spread = float(values.std())
            values = (values - values.mean()) / (spread or 1.0)
        return np.ascontiguousarray(values, dtype=np.float32)

    def spec(self) -> TensorSpec:
        """A waveform `(C, samples)`, or a picture `(C, bands, frames)`."""
        assert self.rate is not None and self.samples is not None
        if self.features == "waveform":
            return TensorSpec("audio", (self.channels, self.samples))
        _, hop, size = self._frame()
        bands = size // 2 + 1 if self.features == "spectrogram" else self._parameters["mels"]
        return TensorSpec("image", (self.channels, bands, 1 + self.samples // hop))

    def to_tensor(self, stored: Tensor) -> Tensor:
        """Normalised values, float32, of the stored shape."""
        return (stored.float() - self.mean) / self.std

    def decode(self, value: Any) -> npt.NDArray[np.float64]:
        """A waveform `[T, C]`, or a spectrogram `[C, bands, frames]` in its own unit.

        What `per_sample` has taken out is not known any more.
        """
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        values: npt.NDArray[np.float64] = array.astype(np.float64) * self.std + self.mean
        return values.T if self.features == "waveform" else values

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return self._parameters

    def fitted(self) -> dict[str, Any]:
        """Rate and length as settled; mean and standard deviation."""
        return {name: getattr(self, name) for name in ("rate", "samples", "mean", "std")}

    def cache_key(self) -> dict[str, Any]:
        """Everything that shapes the stored values; normalisation over the data set does not."""
        rest = {name: value for name, value in self._parameters.items() if name != "normalise"}
        per_sample = self.normalise == "per_sample"
        return {"type": self.type, **rest, "rate": self.rate, "samples": self.samples, "own": per_sample}

    def _look(self, raw: Any) -> tuple[int, int] | None:
        """Samples per channel and rate, None where the sound cannot be read."""
        try:
            if decoding.is_file(raw):
                return decoding.frames_and_rate(decoding.read_bytes(raw))
            return len(_as_samples(raw)), self.rate or _no_rate()
        except BadSample:
            return None

    def _read(self, raw: Any) -> tuple[Floats, int]:
        """Samples `[T, channels]` and their rate, checked."""
        assert self.rate is not None
        if decoding.is_file(raw):
            samples, rate = decoding.decode(decoding.read_bytes(raw))
        else:
            samples, rate = _as_samples(raw), self.rate
        if rate != self.rate and self._parameters["rate"] is None:
            raise BadSample(
                f"it has {rate} Hz where the training sounds have {self.rate} Hz; "
                "give the column a rate to have it changed"
            )
        if max(rate, self.rate) > _FURTHEST * min(rate, self.rate):
            raise BadSample(f"its rate of {rate} Hz is too far from {self.rate} Hz")
        return samples, rate

    def _mixed(self, samples: Floats) -> Floats:
        given = samples.shape[1]
        if self.channels == 1:
            return samples.mean(axis=1, keepdims=True) if given > 1 else samples
        if given > 2:
            raise BadSample(f"it has {given} channels, which are not left and right")
        return samples if given == 2 else np.repeat(samples, 2, axis=1)

    def _fixed(self, samples: Floats, rate: int) -> Floats:
        """Samples `[samples, C]` at the wanted rate; cut before resampling, so that memory is bounded."""
        assert self.rate is not None and self.samples is not None
        if self._parameters["length"] is None and round(len(samples) * self.rate / rate) != self.samples:
            raise BadSample(
                f"it lasts {len(samples) / rate:.4g} s where the training sounds last "
                f"{self.samples / self.rate:.4g} s; give the column a length to have it adjusted"
            )
        needed = -(-self.samples * rate // self.rate)
        samples = resample(_cut(samples, needed, self.align), rate, self.rate)
        samples = _cut(samples, self.samples, self.align)
        spare = self.samples - len(samples)
        before = {"start": 0, "center": spare // 2, "end": spare}[self.align]
        return np.pad(samples, ((before, spare - before), (0, 0)))

    def _spectrum(self, samples: Floats) -> Floats:
        window, hop, size = self._frame()
        power = power_spectrogram(samples, window, hop, size)
        if self.features == "spectrogram":
            return power
        bands = self._bands() @ power
        return np.log(np.maximum(bands, _FLOOR)) if self.features == "log_mel" else bands

    def _frame(self) -> tuple[int, int, int]:
        """Samples of a frame, from one to the next, and points of its transform (a power of 2)."""
        assert self.rate is not None
        window = max(2, round(self._parameters["window"] * self.rate))
        hop = max(1, round(self._parameters["hop"] * self.rate))
        return window, hop, 1 << (window - 1).bit_length()

    def _bands(self) -> Floats:
        if self._filters is None:
            assert self.rate is not None
            high = self._parameters["high"] or self.rate / 2
            mels, low = self._parameters["mels"], self._parameters["low"]
            self._filters = mel_filters(self.rate, self._frame()[2], mels, low, high)
        return self._filters

    def _check_bands(self) -> None:
        if self.features not in ("mel", "log_mel"):
            return
        assert self.rate is not None
        low, high = self._parameters["low"], self._parameters["high"] or self.rate / 2
        if not low < high <= self.rate / 2:
            raise RecipeError(
                f"mel bands from {low:g} to {high:g} Hz do not fit {self.rate} samples a second",
                why=f"frequencies go up to {self.rate / 2:g} Hz",
                fix="give a lower `high` (or a higher `low`), or a higher rate",
            )
        empty = int((self._bands().max(axis=1) == 0).sum())
        if empty:
            raise RecipeError(
                f"{empty} of {self._parameters['mels']} mel bands lie between two bins of the spectrum",
                fix="give fewer mels, or a longer window",
            )


def _no_rate() -> int:
    raise RecipeError("samples in memory say no rate", fix="give the audio column its rate in Hz")


def _as_samples(raw: Any) -> Floats:
    """Samples float32 `[T, channels]`. Raises `BadSample` where they are none."""
    array = raw.detach().cpu().numpy() if hasattr(raw, "detach") else np.asarray(raw)
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2) or array.size == 0:
        raise BadSample(f"an array of shape {list(array.shape)} and {array.dtype} is no sound")
    if array.dtype.kind in "iu":
        limits = np.iinfo(array.dtype)
        middle = (limits.max + limits.min + 1) / 2
        array = (array - middle) / (limits.max + 1 - middle)
    samples = array.astype(np.float32)
    if not np.isfinite(samples).all():
        raise BadSample("a sample is NaN or infinite")
    return samples[:, None] if samples.ndim == 1 else samples


def _cut(samples: Floats, length: int, align: str) -> Floats:
    spare = max(0, len(samples) - length)
    first = {"start": 0, "center": spare // 2, "end": spare}[align]
    return samples[first : first + length]
