"""A number as a distribution over bins, which a model learns; its expectation or median is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.processors.number import numbers_of
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import DataError, RecipeError
from trainwright.fields import PositiveInt

if TYPE_CHECKING:
    from torch import Tensor


class DistributionProcessor(ColumnProcessor):
    """A number, stored as its float32 place among the bins and itself `[2]`, given as probabilities `[K]`.

    Place k is the centre of bin k. A hard assignment puts all probability into the bin that holds the
    number. A soft one divides it between the two bins whose centres enclose the number, so that the
    expectation is the number itself; beyond the first and last centre it is theirs. Answers are scored
    against the number, whatever the bins make of it.

    Args:
        bins: Number of bins, or their edges in rising order.
        rule: Edges by equal width (`range`), or by equal count (`quantile`), over the training split.
        assign: Hard or soft, as above.
        outside: A number beyond the outer edges counts to the outer bin, or makes a bad sample.
        answer: The one number that stands for a distribution: its expectation, which has the least squared
            error, or its median, which has the least absolute one and passes over far-off tails.
    """

    type = "distribution"
    needs_fit = True

    def __init__(
        self,
        *,
        bins: PositiveInt | list[float] = 64,
        rule: Literal["range", "quantile"] = "range",
        assign: Literal["hard", "soft"] = "soft",
        outside: Literal["clip", "error"] = "clip",
        answer: Literal["expectation", "median"] = "expectation",
    ) -> None:
        if isinstance(bins, list) and (len(bins) < 2 or np.any(np.diff(bins) <= 0)):
            raise RecipeError(
                "bins are no rising edges",
                where="bins",
                why=str(bins[:10]),
                fix="give at least two numbers, each larger than the one before",
            )
        self._bins, self.rule, self.assign, self.outside = bins, rule, assign, outside
        self.answer = answer
        self.edges: list[float] = bins if isinstance(bins, list) else []
        self.counts: list[int] = []

    def fit(self, values: Values) -> None:
        """Finds the edges, unless they are given, and counts the training numbers per bin."""
        numbers = numbers_of(values, strict=False).reshape(-1)
        numbers = numbers[np.isfinite(numbers)]
        if not isinstance(self._bins, list):
            self.edges = _edges(numbers, self._bins, self.rule)
        self.counts = np.bincount(self._bin(numbers), minlength=len(self.edges) - 1).tolist()

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Middles of the bins `[K]`."""
        edges = np.array(self.edges)
        return (edges[:-1] + edges[1:]) / 2

    def encode(self, raw: Any) -> np.ndarray:
        """Its place among the bins and the number, float32 `[2]`. Raises `BadSample` where it is none."""
        return self.encode_all([raw])[0]

    def encode_all(self, values: Values) -> np.ndarray:
        """Places and numbers, float32 `[N, 2]`. Raises `BadSample` for the first bad value."""
        numbers = numbers_of(values, strict=True)
        if numbers.shape[1] != 1:
            raise BadSample(f"{numbers.shape[1]} numbers where one is expected")
        if not np.isfinite(numbers).all():
            raise BadSample("the number is missing, NaN or infinite")
        low, high = self.edges[0], self.edges[-1]
        beyond = (numbers < low) | (numbers > high)
        if self.outside == "error" and beyond.any():
            raise BadSample(f"{numbers[beyond][0]:g} lies outside of the bins from {low:g} to {high:g}")
        hard = self.assign == "hard"
        places = self._bin(numbers) if hard else np.interp(numbers, self.centres, range(len(self.centres)))
        return np.concatenate([places, numbers], axis=1).astype(np.float32)

    def spec(self) -> TensorSpec:
        """Probabilities of K bins."""
        return TensorSpec(
            "distribution",
            (len(self.edges) - 1,),
            counts=tuple(self.counts),
            edges=tuple(map(float, self.edges)),
        )

    def to_tensor(self, stored: Tensor) -> dict[str, Tensor]:
        """`probabilities` of the bins, float32 `[B, K]`, and the `number` itself `[B, 1]`."""
        import torch

        places = torch.arange(len(self.edges) - 1, device=stored.device, dtype=torch.float32)
        probabilities = (1 - (stored[:, :1] - places).abs()).clamp_min(0)
        return {"probabilities": probabilities, "number": stored[:, 1:]}

    def decode(self, value: Any) -> npt.NDArray[np.float64]:
        """The number that `to_tensor` gave, or the answer of probabilities `[..., K]`: float64 `[...]`.

        In the number's own unit; NaN where probabilities are.
        """
        if isinstance(value, dict):
            return np.asarray(value["number"].detach().cpu(), dtype=np.float64)[..., 0]
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        weights = array.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.answer == "median":
                return _median(weights / weights.sum(axis=-1, keepdims=True), np.array(self.edges))
            return weights @ self.centres / weights.sum(axis=-1)

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        names = ("rule", "assign", "outside", "answer")
        return {"bins": self._bins} | {name: getattr(self, name) for name in names}

    def fitted(self) -> dict[str, Any]:
        """Edges `[K + 1]`, and training numbers per bin."""
        return {"edges": self.edges, "counts": self.counts}

    def _bin(self, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The bin that holds each number; an edge belongs to the bin above it, the last one to the last."""
        return np.searchsorted(self.edges[1:-1], numbers, side="right")


def _median(
    probabilities: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Where the cumulative distribution reaches one half, probability lying evenly within a bin."""
    upto = probabilities.cumsum(axis=-1)
    places = np.minimum((upto < 0.5).sum(axis=-1), probabilities.shape[-1] - 1)[..., None]
    own, upto_own = (np.take_along_axis(array, places, axis=-1)[..., 0] for array in (probabilities, upto))
    share = (0.5 - (upto_own - own)) / own
    low, high = edges[places[..., 0]], edges[places[..., 0] + 1]
    return low + np.clip(share, 0, 1) * (high - low)


def _edges(numbers: npt.NDArray[np.float64], count: int, rule: str) -> list[float]:
    if not len(numbers):
        raise DataError(
            "no training value is a number, so there are no bins",
            fix="check the column, or the type that the recipe gives it",
        )
    if rule == "range":
        low, high = float(numbers.min()), float(numbers.max())
        if low == high:
            low, high = low - 0.5, high + 0.5
        return np.linspace(low, high, count + 1).tolist()
    # Equal values cannot be told apart by an edge, so that there may be fewer bins than asked for.
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, count + 1)))
    return edges.tolist() if len(edges) > 1 else [float(edges[0]) - 0.5, float(edges[0]) + 0.5]
