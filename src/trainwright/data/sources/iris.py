"""Fisher's 150 irises, which scikit-learn carries, read without importing it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from trainwright.data.sources.base import BaseSource, LazySequence
from trainwright.data.sources.packaged import packaged_file
from trainwright.data.types import Values

_MEASURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


class IrisSource(BaseSource):
    """Fisher (1936): 50 flowers each of setosa, versicolor and virginica, lengths in centimetres.

    Columns:
        sepal_length, sepal_width, petal_length, petal_width: float64.
        species: The name of the species.
    """

    columns = {**dict.fromkeys(_MEASURES, "number"), "species": "category"}  # noqa: RUF012

    def __init__(self) -> None:
        self._path = packaged_file("iris.csv")

    def __len__(self) -> int:
        return len(self._lines)

    def column(self, name: str) -> Values:
        """All raw values of one column."""
        self.require(name)
        if name == "species":
            return np.array([self._species[int(line[-1])] for line in self._lines], dtype=object)
        place = _MEASURES.index(name)
        return np.array([float(line[place]) for line in self._lines])

    def sample_names(self) -> Sequence[str]:
        """`iris 0` to `iris 149`, in the order of the file."""
        return LazySequence(len(self), lambda row: f"iris {row}")

    def files(self) -> list[Path]:
        """The packaged file."""
        return [self._path]

    @cached_property
    def _table(self) -> list[list[str]]:
        return [line.split(",") for line in self._path.read_text().splitlines()]

    @property
    def _species(self) -> list[str]:
        """The first line says: rows, columns, names of the species."""
        return self._table[0][2:]

    @property
    def _lines(self) -> list[list[str]]:
        return self._table[1:]
