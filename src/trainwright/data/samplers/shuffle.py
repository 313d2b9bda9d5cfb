"""Every row once per epoch, in a new random order each time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainwright.data.samplers.base import shuffled


class Shuffle:
    """Visits every row exactly once, in an order addressed by (seed, epoch)."""

    each_once = True

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """A permutation of `rows`, int64 `[N]`; see `trainwright.data.samplers.base`."""
        return shuffled(rows, seed, epoch)
