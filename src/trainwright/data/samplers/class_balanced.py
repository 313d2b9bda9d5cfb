"""Every class equally often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from trainwright.data.samplers.base import WHERE, category_target, shuffled, spread_evenly
from trainwright.errors import RecipeError


class ClassBalanced:
    """Visits every class equally often, in an epoch and in every batch, as near as whole numbers allow.

    Rows of small classes come several times per epoch, those of large ones not in every epoch. Within a
    class all rows take turns: an epoch goes on where the one before it ended, so over several epochs none
    is visited more than once more often than another. Rows without a class are never visited.

    Args:
        labels: Class of every row of the source, int64 `[n]`, -1 for none, by category target.
        target: Target whose classes count; the only category target when absent.
    """

    each_once = False

    def __init__(self, labels: Mapping[str, npt.NDArray[np.int64]], *, target: str | None = None) -> None:
        self._labels = labels[category_target(labels, target)]

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of one epoch, int64 `[N]`; see `trainwright.data.samplers.base`."""
        labels = self._labels[rows]
        classes = np.unique(labels[labels >= 0])
        if len(rows) and not len(classes):
            raise RecipeError("no training sample has a class", where=WHERE, fix="use another sampler")
        picked = [
            _turns(rows[labels == label], range(first, first + count), seed, int(label))
            for label, (first, count) in zip(classes, _quotas(len(classes), len(rows), epoch), strict=True)
        ]
        chosen = np.concatenate([rows[:0], *picked])
        return chosen[spread_evenly(self._labels[chosen], seed, epoch)]


def _quotas(classes: int, places: int, epoch: int) -> Iterator[tuple[int, int]]:
    """Per class, its visits in earlier epochs and in this one; who gets one more goes round."""
    for number in range(classes):
        # Places are dealt out in turn over all epochs; class `number` gets every place p with
        # p % classes == number.
        before = -(-(epoch * places - number) // classes)
        after = -(-((epoch + 1) * places - number) // classes)
        yield before, after - before


def _turns(rows: npt.NDArray[np.int64], turns: range, seed: int, label: int) -> npt.NDArray[np.int64]:
    """The visits `turns` of an endless row of shuffled copies of `rows`."""
    first, last = turns.start // len(rows), -(-turns.stop // len(rows))
    cycles = [shuffled(rows, seed, "class", label, cycle) for cycle in range(first, last)]
    whole = np.concatenate([rows[:0], *cycles])
    start = turns.start - first * len(rows)
    return whole[start : start + len(turns)]
