"""The 1,797 real handwritten digits that scikit-learn carries, read without importing it."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from trainwright.data.sources.base import BaseSource, LazySequence
from trainwright.data.sources.packaged import packaged_file
from trainwright.data.types import Values
from trainwright.errors import DataError

_ROWS, _VALUES = 1797, 65


class DigitsSource(BaseSource):
    """UCI optical recognition of handwritten digits (test part): 8 x 8 pixels with values 0 to 16.

    Columns:
        image: uint8 `[8, 8, 1]`, the values times 17, cut at 255 (so 15 and 16 are both white).
        pixels: The 64 values as they are, 0 to 16, float32 `[64]`.
        label: The digit, 0 to 9.
    """

    columns = {"image": "image", "pixels": "number", "label": "category"}  # noqa: RUF012

    def __init__(self) -> None:
        self._path = packaged_file("digits.csv.gz")

    def __len__(self) -> int:
        return _ROWS

    def column(self, name: str) -> Values:
        """All raw values of one column."""
        self.require(name)
        if name == "label":
            return self._values[:, 64].astype(np.int64)
        pixels = self._values[:, :64]
        if name == "pixels":
            return pixels
        return np.minimum(pixels * 17, 255).astype(np.uint8).reshape(-1, 8, 8, 1)

    def sample_names(self) -> Sequence[str]:
        """`digit 0` to `digit 1796`, in the order of the file."""
        return LazySequence(_ROWS, lambda row: f"digit {row}")

    def files(self) -> list[Path]:
        """The packaged file."""
        return [self._path]

    @cached_property
    def _values(self) -> np.ndarray:
        text = gzip.decompress(self._path.read_bytes()).decode("ascii")
        values = np.array(text.replace("\n", ",").strip(",").split(","), dtype=np.float32)
        if values.size != _ROWS * _VALUES:
            raise DataError(
                f"{values.size} values where {_ROWS * _VALUES} are expected",
                where=str(self._path),
                fix="install scikit-learn again",
            )
        return values.reshape(_ROWS, _VALUES)
