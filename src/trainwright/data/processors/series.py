"""Series: values at even steps become one float32 array of fixed length, normalised per channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.processors.channel_statistics import ChannelStatistics
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float64]
_INSPECTED = 64  # series that are looked at to settle length and channels
_AT_ONCE = 1 << 20  # values that are worked on together
DEAD_WHEN = {
    "SeriesProcessor": {
        "align": "adjust == 'resample'",
        "plot_height": "as_image != 'plot'",
    }
}


class SeriesProcessor(ColumnProcessor):
    """A series `[T, K]` (or `[T]`), stored normalised as float32 `[C, length]`.

    Normalisation is `(x - offset) / scale` per channel, in float64: `standard` (mean and standard
    deviation) and `min_max` (minimum and range) of the training split, or `per_sample` (mean and
    standard deviation of the series itself). A constant channel gets scale 1. Padding is 0 behind
    the normalisation.

    Args:
        length: Steps of the stored series; when absent those that the training series have, and every
            series must have them.
        adjust: How other lengths get there: `pad` cuts what is too long and adds zeros to what is too
            short, `resample` stretches by linear interpolation, first and last value kept.
        align: Which part of a series is kept, and on which side of the padding it lies.
        normalise: Rule as above.
        missing: `error` makes a missing value (NaN) a bad sample; `zero` puts 0; `mean` the channel's
            mean in the training split, or under `per_sample` in the series; `interpolate` draws a line
            between the neighbours and repeats the first and last value. Infinite values are bad samples
            in any case.
        mask: Adds a channel per channel that is 1 where there is a value, 0 where it is missing or padding.
        as_image: `plot` draws every channel as a curve, a picture `[C, plot_height, length]` of values in
            [0, 1] over the range of the training values; `matrix` is the picture `[1, C, length]` whose
            rows are the channels. Both can be read by models of images.
        plot_height: Pixels of the plot from the least to the greatest value.
        columns: Columns of a table that are the steps of one series, in order.
    """

    type = "series"
    needs_fit = True

    def __init__(
        self,
        *,
        length: PositiveInt | None = None,
        adjust: Literal["pad", "resample"] = "pad",
        align: Literal["start", "center", "end"] = "start",
        normalise: Literal["standard", "min_max", "per_sample", "none"] = "standard",
        missing: Literal["error", "zero", "mean", "interpolate"] = "error",
        mask: bool = False,
        as_image: Literal["none", "plot", "matrix"] = "none",
        plot_height: PositiveInt = 64,
        columns: list[str] | None = None,
    ) -> None:
        self._parameters: dict[str, Any] = {
            "length": length,
            "adjust": adjust,
            "align": align,
            "normalise": normalise,
            "missing": missing,
            "mask": mask,
            "as_image": as_image,
            "plot_height": plot_height,
            "columns": columns,
        }
        self.columns = columns
        self.length = length
        self.normalise, self.missing, self.mask = normalise, missing, mask
        self.adjust, self.align = adjust, align
        self.as_image, self.plot_height = as_image, plot_height
        self.channels = 0
        self.offset: list[float] = []
        self.scale: list[float] = []
        self.mean: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def inspect(self, values: Values) -> None:
        """Settles channels and length from up to 64 evenly spaced training series."""
        places = sorted({round(place) for place in np.linspace(0, len(values) - 1, _INSPECTED) if place >= 0})
        shapes = []
        for place in places:
            try:
                shapes.append(_as_steps(values[place]).shape)
            except BadSample:
                continue
        if not shapes:  # `encode` says what is wrong with each of them
            self.channels, self.length = 1, self.length or 1
            return
        self.channels = max(sorted({channels for _, channels in shapes}), key=[c for _, c in shapes].count)
        if self.length is None:
            lengths = sorted({length for length, _ in shapes})
            if len(lengths) > 1:
                raise RecipeError(
                    "the series differ in length and the recipe names none",
                    why=f"they have {lengths[0]} to {lengths[-1]} steps",
                    fix=f"give the series column a length, for example length: {lengths[-1]}",
                )
            self.length = lengths[0]

    def fit(self, values: Values) -> None:
        """Learns offset, scale, mean and range per channel from raw training series."""
        statistics = ChannelStatistics(self.channels)
        for series in _chunks(values, self.channels):
            statistics.add(series.reshape(-1, self.channels))
        self.mean = statistics.mean.tolist()
        self.offset, self.scale = statistics.offset_and_scale(self.normalise)
        self.low, self.high = statistics.low.tolist(), statistics.high.tolist()
        if self.normalise == "per_sample":
            moved = ChannelStatistics(self.channels)
            for series in _chunks(values, self.channels):
                moved.add(self._normalised(series).reshape(-1, self.channels))
            self.low, self.high = moved.low.tolist(), moved.high.tolist()

    def encode(self, raw: Any) -> np.ndarray:
        """Normalised values float32 `[C, length]`. Raises `BadSample` with the reason."""
        return self._encode(_as_steps(raw)[None])[0]

    def encode_all(self, values: Values) -> np.ndarray:
        """Normalised values float32 `[N, C, length]`. Raises `BadSample` for a bad one."""
        assert self.length is not None
        stored = np.empty((len(values), self._stored_channels, self.length), dtype=np.float32)
        done = 0
        for series in _chunks(values, None):
            stored[done : done + len(series)] = self._encode(series)
            done += len(series)
        return stored

    def spec(self) -> TensorSpec:
        """Channels and steps `(C, length)`, or a picture."""
        assert self.length is not None
        if self.as_image == "plot":
            return TensorSpec("image", (self._stored_channels, self.plot_height, self.length))
        if self.as_image == "matrix":
            return TensorSpec("image", (1, self._stored_channels, self.length))
        return TensorSpec("series", (self._stored_channels, self.length))

    def to_tensor(self, stored: Tensor) -> Tensor:
        """Float32 `[B, C, length]`, as it is stored, or the picture `[B, C, height, length]`."""
        values = stored.float()
        if self.as_image == "matrix":
            return values[:, None]
        return self._plot(values) if self.as_image == "plot" else values

    def decode(self, value: Any) -> npt.NDArray[np.float64]:
        """Normalised values `[C, T]` as `[T, K]` in their own unit, float64.

        A plot comes back as grey levels uint8 `[H, T, C]`. What `per_sample` has taken out is not
        known any more, so that its values stay normalised.
        """
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        if self.as_image == "plot":
            return np.rint(np.clip(array, 0, 1).transpose(1, 2, 0) * 255).astype(np.uint8)
        if self.as_image == "matrix" and array.ndim == 3:
            array = array[0]
        steps = array[: self.channels].T.astype(np.float64)
        return (
            steps if self.normalise == "per_sample" else steps * np.array(self.scale) + np.array(self.offset)
        )

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return self._parameters

    def fitted(self) -> dict[str, Any]:
        """Length and channels; offset and scale; mean, low and high of the raw training values."""
        names = ("length", "channels", "offset", "scale", "mean", "low", "high")
        return {name: getattr(self, name) for name in names}

    @property
    def _stored_channels(self) -> int:
        return self.channels * (2 if self.mask else 1)

    def _encode(self, series: Array) -> npt.NDArray[np.float32]:
        """Stored values `[n, C, length]` of series `[n, T, K]`."""
        assert self.length is not None
        count, steps, channels = series.shape
        if channels != self.channels:
            raise BadSample(f"it has {channels} channels where {self.channels} are expected")
        if steps == 0:
            raise BadSample("it has no values")
        if steps != self.length and self._parameters["length"] is None:
            raise BadSample(
                f"it has {steps} steps where the training series have {self.length}; "
                "give the column a length to have it adjusted"
            )
        if np.isinf(series).any():
            raise BadSample("a value is infinite")
        present = ~np.isnan(series)
        if self.missing == "zero":
            series = np.where(present, series, 0.0)
        values = self._filled(self._normalised(series))
        if np.abs(values).max(initial=0.0) > np.finfo(np.float32).max:
            raise BadSample("a value lies too far outside the training values for float32")
        stored = np.zeros((count, self._stored_channels, self.length), dtype=np.float32)
        stored[:, :channels] = self._adjusted(values).transpose(0, 2, 1)
        if self.mask:
            stored[:, channels:] = self._adjusted(present, nearest=True).transpose(0, 2, 1)
        return stored

    def _normalised(self, series: Array) -> Array:
        """Normalised values `[n, T, K]`, NaN where missing."""
        if self.normalise != "per_sample":
            moved: Array = (series - np.array(self.offset)) / np.array(self.scale)
            return moved
        present = ~np.isnan(series)
        count = np.maximum(present.sum(axis=1, keepdims=True), 1)
        mean = np.where(present, series, 0.0).sum(axis=1, keepdims=True) / count
        centred = series - mean
        spread = np.sqrt(np.where(present, centred**2, 0.0).sum(axis=1, keepdims=True) / count)
        scaled: Array = centred / np.where(spread > 0, spread, 1.0)
        return scaled

    def _filled(self, values: Array) -> Array:
        """Normalised values `[n, T, K]` with the gaps closed."""
        present = ~np.isnan(values)
        if present.all():
            return values
        if self.missing == "error":
            first = np.argwhere(~present)[0]
            raise BadSample(f"step {first[1]} of channel {first[2]} is missing")
        if self.missing == "interpolate":
            return _interpolated(values, present)
        if self.normalise == "per_sample":
            return np.where(present, values, 0.0)
        mean = (np.array(self.mean) - np.array(self.offset)) / np.array(self.scale)
        return np.where(present, values, mean)

    def _adjusted(self, values: np.ndarray, *, nearest: bool = False) -> np.ndarray:
        """Values `[n, T, K]` as `[n, length, K]`."""
        assert self.length is not None
        steps = values.shape[1]
        if steps == self.length:
            return values
        if self.adjust == "resample":
            return _resampled(values, self.length, nearest=nearest)
        spare = {"start": 0, "center": abs(steps - self.length) // 2, "end": abs(steps - self.length)}
        first = spare[self.align]
        if steps > self.length:
            return values[:, first : first + self.length]
        padded = np.zeros((len(values), self.length, values.shape[2]), dtype=values.dtype)
        padded[:, first : first + steps] = values
        return padded

    def _plot(self, values: Tensor) -> Tensor:
        """Curves `[B, C, plot_height, length]`: 1 on the curve, 0 elsewhere; a masked step draws nothing.

        A pixel is drawn where the curve, straight between the middles of neighbouring steps, runs
        within half a pixel of it. Values outside the training range lie on the border.
        """
        import torch

        curves = values[:, : self.channels]
        low, high = (torch.tensor(bounds, device=values.device)[:, None] for bounds in self._range())
        level = ((curves - low) / (high - low)).clamp(0, 1) * (self.plot_height - 1)
        before = torch.cat([level[..., :1], (level[..., 1:] + level[..., :-1]) / 2], dim=-1)
        after = torch.cat([(level[..., 1:] + level[..., :-1]) / 2, level[..., -1:]], dim=-1)
        bottom = torch.minimum(torch.minimum(before, after), level) - 0.5
        top = torch.maximum(torch.maximum(before, after), level) + 0.5
        rows = torch.arange(self.plot_height - 1, -1, -1, device=values.device)[:, None]
        drawn = (rows >= bottom[:, :, None]) & (rows <= top[:, :, None])
        if not self.mask:
            return drawn.float()
        present = values[:, self.channels :, None].expand(-1, -1, self.plot_height, -1)
        return torch.cat([drawn * (present > 0), present], dim=1)

    def _range(self) -> tuple[list[float], list[float]]:
        """Normalised values at the bottom and the top of the plot, per channel."""
        low, high = np.array(self.low), np.array(self.high)
        if self.normalise != "per_sample":
            low, high = ((bound - np.array(self.offset)) / np.array(self.scale) for bound in (low, high))
        flat = high <= low
        return np.where(flat, low - 1, low).tolist(), np.where(flat, low + 1, high).tolist()


def _as_steps(raw: Any) -> Array:
    """A series as float64 `[T, K]`. Raises `BadSample` where it is none."""
    array = raw.detach().cpu().numpy() if hasattr(raw, "detach") else raw
    try:
        values = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadSample("it is no series of numbers") from None
    if values.ndim not in (1, 2):
        raise BadSample(f"an array of shape {list(values.shape)} is no series [T, channels]")
    return values[:, None] if values.ndim == 1 else values


def _chunks(values: Values, channels: int | None) -> Iterator[Array]:
    """Series of equal shape together, `[n, T, K]`, in order; with `channels`, unfit ones are passed over."""
    held: list[Array] = []
    for place in range(len(values)):
        try:
            series = _as_steps(values[place])
        except BadSample:
            if channels is None:
                raise
            continue
        if channels is not None and series.shape[1] != channels:
            continue
        if held and (series.shape != held[0].shape or len(held) * max(1, series.size) >= _AT_ONCE):
            yield np.stack(held)
            held = []
        held.append(series)
    if held:
        yield np.stack(held)


def _interpolated(values: Array, present: npt.NDArray[np.bool_]) -> Array:
    """Gaps of `[n, T, K]` on a line between their neighbours; at the ends the nearest value."""
    filled = values.copy()
    steps = np.arange(values.shape[1])
    for sample, channel in np.argwhere(~present.all(axis=1)):
        known = present[sample, :, channel]
        if not known.any():
            raise BadSample(f"channel {channel} has no value at all, so that nothing can be interpolated")
        filled[sample, :, channel] = np.interp(steps, steps[known], values[sample, known, channel])
    return filled


def _resampled(values: np.ndarray, length: int, *, nearest: bool) -> np.ndarray:
    """Values `[n, T, K]` at `length` even places between the first and the last step."""
    steps = values.shape[1]
    places = np.linspace(0, steps - 1, length)
    if nearest:
        return values[:, np.rint(places).astype(np.int64)]
    left = np.minimum(places.astype(np.int64), max(0, steps - 2))
    share = (places - left)[None, :, None]
    right = np.minimum(left + 1, steps - 1)
    return values[:, left] * (1 - share) + values[:, right] * share
