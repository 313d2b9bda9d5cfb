"""Every row once per epoch, in a new random order each time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainwright.data import addressed


class Shuffle:
    """Visits every row exactly once, in an order addressed by (seed, epoch)."""

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The rows of one epoch, in the order in which they are visited.

        Args:
            seed: The run's seed.
            epoch: Number of the epoch, from 0.
            rows: Row numbers of the split, int64 `[N]`; not changed.

        Returns:
            A permutation of `rows`, int64 `[N]`.
        """
        philox = np.random.Philox(key=int(addressed.key("order", seed, epoch)))
        return np.random.Generator(philox).permutation(rows)
