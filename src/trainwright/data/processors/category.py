"""A class: a text or an integer becomes the number of its class."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trainwright.data.blocks import BlockValues, CodedValues, blocks_of
from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import DataError, RecipeError, closest

if TYPE_CHECKING:
    from torch import Tensor


_DENSE = 1 << 20  # span of integer labels up to which they are counted in a table


class CategoryProcessor(ColumnProcessor):
    """One class out of several, stored as int64 and given to the model as int64.

    Args:
        classes: Names of the classes in the order of their ids; the training split's own, in
            natural order (2 before 10), when absent. Integer labels are named "0", "1", ...
    """

    type = "category"
    needs_fit = True
    fits_on_all = True

    def __init__(self, *, classes: list[str] | None = None) -> None:
        if classes is not None and len(set(classes)) != len(classes):
            raise RecipeError(
                "a class is named twice", where="classes", why=", ".join(classes), fix="name each class once"
            )
        self._given = classes
        self._set_classes(classes or [])
        self.counts: list[int] = []

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their ids."""
        return self._classes

    def inspect(self, values: Values) -> None:
        """Looks at the first training value. Raises DataError where a sample has not one value."""
        first = values[0] if len(values) else None
        if isinstance(first, str | int | float | np.generic | None):
            return
        shape = getattr(first, "shape", None)
        if shape is None or math.prod(shape) != 1:
            raise DataError(
                "a category needs one value per sample, this column gives "
                + (type(first).__name__ if shape is None else str(list(shape))),
                fix="give the name of the column that holds the class, `column: NAME`",
            )

    def fit(self, values: Values) -> None:
        """Finds the classes of the training values, unless they are given, and counts them."""
        found: Counter[str] = Counter()
        for _, block in blocks_of(values):
            names, places = factorise(block)
            for name, count in zip(names, np.bincount(places, minlength=len(names)).tolist(), strict=True):
                if name is not None and count:
                    found[name] += count
        if self._given is None:
            self._set_classes(sorted(found, key=natural_key))
        self.counts = [found[name] for name in self._classes]

    def encode(self, raw: Any) -> np.ndarray:
        """The id of the class, int64 `[]`. Raises `BadSample` for a missing or unknown class."""
        return self.encode_all([raw])[0]

    def encode_all(self, values: Values) -> np.ndarray:
        """The ids of a whole column, int64 `[N]`. Raises `BadSample` for the first bad value."""
        names, places = factorise(values)
        unknown = [place for place, name in enumerate(names) if name not in self._ids]
        # Some rows of a block may have none of its names.
        for place in np.intersect1d(unknown, places).astype(int) if unknown else ():
            name = names[place]
            raise BadSample("the class is missing" if name is None else unknown_class(name, self._classes))
        return np.array([self._ids.get(name, -1) for name in names], dtype=np.int64)[places]

    def spec(self) -> TensorSpec:
        """A scalar class id."""
        return TensorSpec("category", (), "int64", self._classes, tuple(self.counts))

    def to_tensor(self, stored: Tensor) -> Tensor:
        """Class ids `[B]` int64; a no-op, for that is how they are stored."""
        return stored.long()

    def decode(self, value: Any) -> str:
        """The name of a class id; of the shares `[C]` of a mixed sample the names with percentages."""
        if getattr(value, "ndim", 0) == 1 and "float" in str(value.dtype):
            shares = sorted(zip(value.tolist(), self._classes, strict=True), reverse=True)
            return ", ".join(f"{name} {share:.0%}" for share, name in shares if share >= 0.005)
        return self._classes[int(value)]

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return {"classes": self._given}

    def fitted(self) -> dict[str, Any]:
        """Classes and how many training samples each has."""
        return {"classes": list(self._classes), "counts": self.counts}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Sets classes and counts."""
        self._set_classes(fitted["classes"])
        self.counts = fitted["counts"]

    def cache_key(self) -> dict[str, Any]:
        """The classes in order."""
        return {"type": self.type, "classes": list(self._classes)}

    def _set_classes(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._ids: dict[str | None, int] = {name: index for index, name in enumerate(classes)}


def unknown_class(name: str, classes: Sequence[str]) -> str:
    """In words: a class is not among those of training, with the one that was probably meant."""
    near = closest(name, classes)
    hint = f"; did you mean {near!r}?" if near else ""
    shown = ", ".join(classes[:10]) + (", ..." if len(classes) > 10 else "")
    return f"class {name!r} is not among the {len(classes)} classes of training ({shown}){hint}"


def factorise(values: Values) -> tuple[list[str | None], npt.NDArray[Any]]:
    """The distinct names of raw labels, and for each label the place of its name.

    Text is a name as it is, whole numbers are written without a fraction, and None, NaN and empty text
    are missing. A name may stand twice, where different raw values have it.

    Args:
        values: Raw labels `[N]`.

    Returns:
        Names, None for missing, and places `[N]`, of whole numbers.
    """
    if isinstance(values, BlockValues):
        return _factorise_blocks(values)
    if isinstance(values, CodedValues):
        return [_class_name(item) for item in values.distinct], values.codes
    if isinstance(values, np.ndarray) and values.dtype.kind in "iub" and values.size:
        low, high = int(values.min()), int(values.max())
        if high - low < _DENSE:
            # Counting, where np.unique would sort.
            shifted = (values.reshape(-1).astype(np.int64)) - low
            present = np.flatnonzero(np.bincount(shifted))
            lookup = np.zeros(high - low + 1, dtype=np.int64)
            lookup[present] = np.arange(len(present))
            return [
                _class_name(bool(value + low) if values.dtype.kind == "b" else int(value + low))
                for value in present
            ], lookup[shifted]
    items = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if any(not isinstance(item, str | int | float | None) for item in items):
        items = [_class_name(item) for item in items]
    table: dict[Any, int] = {}
    # The type belongs to the key because 1, 1.0 and True are equal to a dictionary.
    places = np.array(
        [table.setdefault((item.__class__, item), len(table)) for item in items], dtype=np.int64
    )
    return [_class_name(item) for _, item in table], places


def _factorise_blocks(values: BlockValues) -> tuple[list[str | None], npt.NDArray[Any]]:
    """As `factorise`, block by block; every name stands once, and places are int32."""
    table: dict[str | None, int] = {}
    places = np.empty(len(values), dtype=np.int32)
    for start, block in values.blocks():
        names, own = factorise(block)
        joint = np.array([table.setdefault(name, len(table)) for name in names], dtype=np.int32)
        places[start : start + len(own)] = joint[own]
    return list(table), places


def _class_name(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if value is None or value != value:
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):
        return _class_name(value.item())
    return str(value)


def natural_key(name: str) -> tuple[Any, ...]:
    """Sorts numbers by value, and texts by their digit groups: `class2` before `class10`."""
    try:
        return (0, float(name), name)
    except ValueError:
        parts = re.split(r"(\d+)", name.casefold())
        return (1, [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], name)
