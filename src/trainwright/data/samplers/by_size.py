"""Every row once per epoch, in batches of rows of similar size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trainwright.data.measures import sizes
from trainwright.data.samplers.base import shuffled
from trainwright.data.types import Values
from trainwright.fields import PositiveInt


class BySize:
    """Visits every row exactly once; a batch holds rows of similar size, and batches are shuffled.

    The epoch is shuffled and cut into pools; a pool is sorted by size and cut into batches. Large pools
    make batches more alike, small ones more random.

    Args:
        batch_size: Rows of a batch.
        columns: Raw values of every row of the source, by column.
        column: Column of the source whose size counts: the value of numbers, the length of texts and
            arrays, the bytes of files. Rows without a size come together.
        pool: Batches of one pool.
    """

    each_once = True

    def __init__(
        self,
        batch_size: int,
        columns: Mapping[str, Values],
        *,
        column: str,
        pool: PositiveInt = 50,
    ) -> None:
        self._sizes, self._batch, self._pool = sizes(columns[column]), batch_size, pool * batch_size

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """A permutation of `rows`, int64 `[N]`; see `trainwright.data.samplers.base`."""
        mixed = shuffled(rows, seed, epoch)
        pools = np.arange(len(rows)) // self._pool
        mixed = mixed[np.lexsort((self._sizes[mixed], pools))]
        whole = len(rows) // self._batch
        batches = shuffled(np.arange(whole), seed, epoch, "batches")
        # The short last batch stays last, or it would move the limits of all batches after it.
        parts = mixed[: whole * self._batch].reshape(whole, self._batch)[batches]
        return np.concatenate([parts.reshape(-1), mixed[whole * self._batch :]])
