"""Confusion matrices of many classes, picture by picture, without their zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Ints


def written(counts: Ints) -> list[list[int]]:
    """Matrices `[N, C, C]` without their zeros: of each, place (true * C + predicted), pixels, place, ...

    A picture shows few of many classes: with 150 classes a whole matrix has 22,500 numbers.
    """
    found = []
    for matrix in counts.reshape(len(counts), -1):
        places = np.flatnonzero(matrix)
        found.append(np.stack([places, matrix[places]], axis=1).ravel().tolist())
    return found


@dataclass(frozen=True)
class Confusions:
    """Pairs of classes that occur in pictures, as `written` writes them.

    Attributes:
        sample: The picture of each pair, int64 `[K]`.
        true: Its true class.
        predicted: Its predicted class.
        pixels: How many there are.
        samples: Number of pictures.
        classes: Number of classes.
    """

    sample: Ints
    true: Ints
    predicted: Ints
    pixels: Ints
    samples: int
    classes: int

    @classmethod
    def read(cls, told: Sequence[Sequence[int]], classes: int) -> Confusions:
        """From what `written` gave."""
        sample = np.repeat(np.arange(len(told)), [len(row) // 2 for row in told])
        flat = np.array([number for row in told for number in row], dtype=np.int64).reshape(-1, 2)
        return cls(sample, flat[:, 0] // classes, flat[:, 0] % classes, flat[:, 1], len(told), classes)

    def whole(self) -> Ints:
        """All pictures together `[C, C]`."""
        counts = np.zeros((self.classes, self.classes), dtype=np.int64)
        np.add.at(counts, (self.true, self.predicted), self.pixels)
        return counts

    def per_class(self) -> tuple[Ints, Ints, Ints]:
        """Right, true and predicted pixels of every picture and class, `[N, C]` each."""
        right = self.true == self.predicted
        return (
            self._summed(self.sample[right], self.true[right], self.pixels[right]),
            self._summed(self.sample, self.true, self.pixels),
            self._summed(self.sample, self.predicted, self.pixels),
        )

    def _summed(self, sample: Ints, classes: Ints, pixels: Ints) -> Ints:
        counts = np.zeros((self.samples, self.classes), dtype=np.int64)
        np.add.at(counts, (sample, classes), pixels)
        return counts
