"""Every row once per epoch, with the classes of the whole split in every batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trainwright.data.samplers.base import category_target, shuffled, spread_evenly


class Stratified:
    """Visits every row exactly once; every batch has the classes in nearly the split's proportions.

    Rows without a class count as a class of their own.

    Args:
        labels: Class of every row of the source, int64 `[n]`, -1 for none, by category target.
        target: Target whose classes count; the only category target when absent.
    """

    each_once = True

    def __init__(self, labels: Mapping[str, npt.NDArray[np.int64]], *, target: str | None = None) -> None:
        self._labels = labels[category_target(labels, target)]

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """A permutation of `rows`, int64 `[N]`; see `trainwright.data.samplers.base`."""
        mixed = shuffled(rows, seed, epoch)
        return mixed[spread_evenly(self._labels[mixed], seed, epoch)]
