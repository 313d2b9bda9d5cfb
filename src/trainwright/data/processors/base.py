"""What the processors share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from trainwright.data.types import TensorSpec, Values

if TYPE_CHECKING:
    from torch import Tensor


class ColumnProcessor:
    """A processor that needs no inspection, and encodes a column value by value.

    A processor of your own overrides `encode`, `spec`, `to_tensor`, `decode` and `parameters`, and
    `fit` and `state` where it learns something.
    """

    type: ClassVar[str] = ""
    needs_fit: ClassVar[bool] = False
    fits_on_encoded: ClassVar[bool] = False
    fits_on_all: ClassVar[bool] = False
    follows_image: ClassVar[bool] = False
    reads_picture: ClassVar[bool] = False
    heavy: ClassVar[bool] = False

    @property
    def learns(self) -> bool:
        """Whether `fit` learns anything; where it does not, no values are read for it."""
        return True

    def inspect(self, values: Values) -> None:
        """Nothing to settle before the first `encode`."""

    def survey(self, values: Values) -> list[str]:
        """Nothing to settle from all rows, and nothing to tell."""
        return []

    def fit(self, values: Any) -> None:
        """Nothing to learn."""

    def encode(self, raw: Any) -> np.ndarray:
        """One stored value. Raises `BadSample` with the reason."""
        raise NotImplementedError

    def encode_all(self, values: Values) -> np.ndarray:
        """Stored values `[N, ...]` of a whole column."""
        return np.stack([self.encode(value) for value in values])

    def spec(self) -> TensorSpec:
        """What the column looks like to a model."""
        raise NotImplementedError

    def to_tensor(self, stored: Tensor) -> Tensor | dict[str, Tensor]:
        """The model-side batch of stored values."""
        raise NotImplementedError

    def decode(self, value: Any) -> Any:
        """The human form of a model-side value."""
        raise NotImplementedError

    def parameters(self) -> dict[str, Any]:
        """The constructor's keyword parameters, as JSON."""
        raise NotImplementedError

    def fitted(self) -> dict[str, Any]:
        """What `inspect` and `fit` settled, as JSON: attribute -> value."""
        return {}

    def cache_key(self) -> dict[str, Any]:
        """Parameters and fitted values; override where only some of them shape the stored form."""
        return {"type": self.type, **self.state()}

    def state(self) -> dict[str, Any]:
        """JSON from which `from_state` rebuilds the processor."""
        return {"parameters": self.parameters(), "fitted": self.fitted()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """A processor as it was when `state` was taken."""
        processor = cls(**state["parameters"])
        processor.restore(state["fitted"])
        return processor

    def restore(self, fitted: dict[str, Any]) -> None:
        """Sets what `fitted` gave."""
        for name, value in fitted.items():
            setattr(self, name, value)
