"""Numbers: one column or several become a float32 vector, normalised by the training split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.blocks import CodedValues, blocks_of
from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.processors.moments import Moments
from trainwright.data.types import BadSample, TensorSpec, Values

if TYPE_CHECKING:
    from torch import Tensor

_LEAST_RANGE = 1e-9  # standard deviations that an interquartile range must have to be the scale


class NumberProcessor(ColumnProcessor):
    """One or several numbers, stored normalised as float32 `[K]`, so that a step has nothing to do.

    Normalisation is `(f(x) - offset) / scale` per column, in float64:

    - `standard`: offset and scale are mean and standard deviation of the training split;
    - `min_max`: its minimum and its range, so that training values lie in [0, 1];
    - `robust`: its median and its interquartile range (standard deviation where that is next to 0);
    - `log`: `f` is sign(x) log(1 + |x|), then as `standard`;
    - `none`: 0 and 1.

    A constant column gets scale 1. `f` is the identity but for `log`.

    Args:
        normalise: Rule as above.
        columns: Columns of the source that make up the vector; the one column when absent.
        missing: `error` makes a missing value a bad sample; `mean` stores what the mean of the
            training split becomes. Text and infinities are bad samples in any case.
    """

    type = "number"
    needs_fit = True

    def __init__(
        self,
        *,
        normalise: Literal["standard", "min_max", "robust", "log", "none"] = "standard",
        columns: list[str] | None = None,
        missing: Literal["error", "mean"] = "error",
    ) -> None:
        self.normalise = normalise
        self.columns = columns
        self.missing = missing
        self.offset: list[float] = []
        self.scale: list[float] = []
        self.mean: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def fit(self, values: Values) -> None:
        """Learns offset, scale, mean and range from raw training values `[N]` or `[N, K]`, in one pass."""
        raw: list[Moments] = []
        moved: list[Moments] = []
        kept: list[list[npt.NDArray[np.float64]]] = []  # quantiles alone need all values at once
        for _, block in blocks_of(values):
            numbers = numbers_of(block, strict=False)
            numbers[~np.isfinite(numbers)] = np.nan
            with np.errstate(invalid="ignore"):
                forward = self._forward(numbers)
            if not raw:
                raw, moved = ([Moments() for _ in numbers.T] for _ in range(2))
                kept = [[] for _ in numbers.T]
            for place, (column, moved_column) in enumerate(zip(numbers.T, forward.T, strict=True)):
                present = ~np.isnan(moved_column)
                raw[place].add(column[present])
                moved[place].add(moved_column[present])
                if self.normalise == "robust":
                    kept[place].append(moved_column[present])
        pairs = [
            _offset_and_scale(moments, self.normalise, column)
            for moments, column in zip(moved, kept, strict=True)
        ]
        self.offset = [float(offset) for offset, _ in pairs]
        self.scale = [float(scale) for _, scale in pairs]
        self.mean = [moments.mean for moments in raw]
        self.low = [moments.low for moments in raw]
        self.high = [moments.high for moments in raw]

    def encode(self, raw: Any) -> np.ndarray:
        """The normalised numbers, float32 `[K]`. Raises `BadSample` naming the column."""
        return self.encode_all([raw])[0]

    def encode_all(self, values: Values) -> np.ndarray:
        """Normalised numbers of all rows, float32 `[N, K]`. Raises `BadSample` for the first bad one."""
        numbers = numbers_of(values, strict=True, names=self.columns)
        if self.offset and numbers.shape[1] != len(self.offset):
            raise BadSample(f"{numbers.shape[1]} numbers where {len(self.offset)} are expected")
        gaps = np.isnan(numbers)
        if gaps.any():
            if self.missing == "error":
                raise BadSample(f"{self._name(gaps)} is missing or NaN")
            numbers = np.where(gaps, np.array(self.mean)[None, :], numbers)
        if not np.isfinite(numbers).all():
            raise BadSample(f"{self._name(~np.isfinite(numbers))} is infinite")
        scaled = (self._forward(numbers) - np.array(self.offset)) / np.array(self.scale)
        far = np.abs(scaled) > np.finfo(np.float32).max
        if far.any():
            raise BadSample(f"{self._name(far)} lies too far outside the training values for float32")
        return scaled.astype(np.float32)

    def spec(self) -> TensorSpec:
        """A vector of K numbers."""
        return TensorSpec("number", (len(self.offset),))

    def to_tensor(self, stored: Tensor) -> Tensor:
        """Normalised numbers `[B, K]` float32; a no-op, for that is how they are stored."""
        return stored.float()

    def decode(self, value: Any) -> npt.NDArray[np.float64]:
        """Normalised numbers `[..., K]` in their own unit, float64."""
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        moved = array.astype(np.float64) * np.array(self.scale) + np.array(self.offset)
        return np.sign(moved) * np.expm1(np.abs(moved)) if self.normalise == "log" else moved

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return {"normalise": self.normalise, "columns": self.columns, "missing": self.missing}

    def fitted(self) -> dict[str, Any]:
        """Offset and scale of the normalisation; mean, low and high of the raw training values."""
        names = ("offset", "scale", "mean", "low", "high")
        return {name: getattr(self, name) for name in names}

    def _forward(self, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.sign(numbers) * np.log1p(np.abs(numbers)) if self.normalise == "log" else numbers

    def _name(self, bad: npt.NDArray[np.bool_]) -> str:
        place = int(np.argwhere(bad)[0][1])
        if self.columns:
            return self.columns[place]
        return "the value" if bad.shape[1] == 1 else f"value {place} of {bad.shape[1]}"


def _offset_and_scale(
    moments: Moments, rule: str, parts: list[npt.NDArray[np.float64]]
) -> tuple[float, float]:
    """Offset and scale of one column without gaps, by the rules of `NumberProcessor`.

    Args:
        moments: Of its values.
        rule: As in the recipe.
        parts: Its values, for quantiles.
    """
    if rule == "none" or not moments.count:
        return 0.0, 1.0
    if moments.low == moments.high:
        return moments.low, 1.0
    if rule == "min_max":
        return moments.low, moments.high - moments.low
    if rule == "robust":
        low, middle, high = np.quantile(np.concatenate(parts), [0.25, 0.5, 0.75])
        # More than half of the values may be equal, or all but equal, while the column is not constant: by
        # a range of next to nothing the others would be divided to infinity.
        return middle, high - low if high - low > _LEAST_RANGE * moments.spread else moments.spread
    return moments.mean, moments.spread


def numbers_of(values: Values, *, strict: bool, names: list[str] | None = None) -> npt.NDArray[np.float64]:
    """Raw values as float64 `[N, K]`; missing is NaN, and text is NaN or, when strict, a `BadSample`."""
    if isinstance(values, CodedValues):
        # A text is read once, however often it stands there.
        used = np.unique(values.codes)
        distinct = np.full(len(values.distinct), np.nan)
        distinct[used] = [_number(values.distinct[code], strict) for code in used.tolist()]
        return distinct[values.codes].reshape(len(values), 1)
    array = values if isinstance(values, np.ndarray) else _from_list(values)
    if array.dtype.kind in "fiub":
        numbers = array.astype(np.float64)
    else:
        cells = [_number(value, strict) for value in _cells(array)]
        numbers = np.array(cells, dtype=np.float64).reshape(array.shape)
    return numbers.reshape(len(numbers), -1)


def _from_list(values: Sequence[Any]) -> np.ndarray:
    items = [item.detach().cpu().numpy() if hasattr(item, "detach") else item for item in values]
    try:
        return np.asarray(items) if len(items) else np.zeros((0, 1))
    except ValueError:
        raise BadSample("rows have different counts of numbers") from None


def _cells(array: np.ndarray) -> list[Any]:
    return array.ravel().tolist()


def _number(value: Any, strict: bool) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        if strict:
            raise BadSample(f"{str(value)[:40]!r} is not a number") from None
        return np.nan
