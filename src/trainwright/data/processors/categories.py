"""Several classes at once: the labels of a sample become one number per class."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.processors.category import natural_key, unknown_class
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import RecipeError

if TYPE_CHECKING:
    from torch import Tensor

_SEPARATORS = ("|", ";")
_INSPECTED = 10_000  # training samples that are looked at for a separator


class CategoriesProcessor(ColumnProcessor):
    """Any number of classes out of several, stored as uint8 `[C]` and given to the model as float32.

    A raw value is a list of names, or a text: a JSON list, or names with a separator between them.

    Args:
        classes: Names of the classes in the order of their ids; the training split's own, in natural
            order, when absent.
        separator: What stands between two names of a text; when absent `|` where the training split has
            one, else `;` where it has one.
        missing: A value that is absent (not: an empty list) makes a bad sample, or stands for no class.
    """

    type = "categories"
    needs_fit = True

    def __init__(
        self,
        *,
        classes: list[str] | None = None,
        separator: str | None = None,
        missing: Literal["error", "none"] = "error",
    ) -> None:
        if classes is not None and len(set(classes)) != len(classes):
            raise RecipeError(
                "a class is named twice", where="classes", why=", ".join(classes), fix="name each class once"
            )
        if separator == "":
            raise RecipeError("the separator is empty", where="separator", fix="remove it, or give one")
        self._given, self._asked = classes, separator
        self.missing = missing
        self.classes: list[str] = classes or []
        self.counts: list[int] = []
        self.separator = separator

    def inspect(self, values: Values) -> None:
        """Settles the separator, from the first training values."""
        if self._asked is None:
            texts = [value for value in _first(values, _INSPECTED) if isinstance(value, str)]
            used = (mark for mark in _SEPARATORS if any(mark in text for text in texts))
            self.separator = next(used, None)

    def fit(self, values: Values) -> None:
        """Finds the classes of the training values, unless they are given, and counts them."""
        found: Counter[str] = Counter()
        for value in values:
            try:
                found.update(set(self._names(value)))
            except BadSample:
                continue
        if self._given is None:
            self.classes = sorted(found, key=natural_key)
        self.counts = [found[name] for name in self.classes]

    def encode(self, raw: Any) -> np.ndarray:
        """1 for each of the sample's classes, uint8 `[C]`. Raises `BadSample` for an unknown one."""
        return self._encode(raw, {name: place for place, name in enumerate(self.classes)})

    def encode_all(self, values: Values) -> np.ndarray:
        """The classes of a whole column, uint8 `[N, C]`. Raises `BadSample` for the first bad value."""
        ids = {name: place for place, name in enumerate(self.classes)}
        stored = np.zeros((len(values), len(ids)), dtype=np.uint8)
        for place, value in enumerate(values):
            stored[place] = self._encode(value, ids)
        return stored

    def spec(self) -> TensorSpec:
        """One number per class."""
        return TensorSpec(
            "categories", (len(self.classes),), "float32", tuple(self.classes), tuple(self.counts)
        )

    def to_tensor(self, stored: Tensor) -> Tensor:
        """1 for each of a sample's classes, else 0, float32 `[B, C]`."""
        return stored.float()

    def decode(self, value: Any) -> list[str]:
        """Names of the classes whose number or probability `[C]` is above one half."""
        numbers = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        return [self.classes[place] for place in np.flatnonzero(numbers > 0.5)]

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return {"classes": self._given, "separator": self._asked, "missing": self.missing}

    def fitted(self) -> dict[str, Any]:
        """Classes, how many training samples have each, and the separator."""
        return {"classes": self.classes, "counts": self.counts, "separator": self.separator}

    def _encode(self, raw: Any, ids: dict[str, int]) -> np.ndarray:
        stored = np.zeros(len(ids), dtype=np.uint8)
        for name in self._names(raw):
            if name not in ids:
                raise BadSample(unknown_class(name, self.classes))
            stored[ids[name]] = 1
        return stored

    def _names(self, raw: Any) -> list[str]:
        """The names in a raw value. Raises `BadSample` where it is missing or cannot be read."""
        if isinstance(raw, str):
            raw = self._split(raw)
        elif raw is not None and not isinstance(raw, float) and isinstance(raw, Sequence | np.ndarray | set):
            return [str(name).strip() for name in raw]
        elif raw is not None and raw == raw:
            return [str(raw)]
        else:
            raw = None
        if raw is None and self.missing == "error":
            raise BadSample(
                "the classes are missing; for samples without a class write [] or set missing: none"
            )
        return raw or []

    def _split(self, text: str) -> list[str] | None:
        text = text.strip()
        if not text:
            return None
        if text.startswith("["):
            try:
                return [str(name).strip() for name in json.loads(text)]
            except (ValueError, TypeError, RecursionError):
                raise BadSample(f"{text[:40]!r} is not a JSON list") from None
        parts = text.split(self.separator) if self.separator else [text]
        return [name for part in parts if (name := part.strip())]


def _first(values: Values, count: int) -> list[Any]:
    return [values[place] for place in range(min(len(values), count))]
