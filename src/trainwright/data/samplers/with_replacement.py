"""Independent draws: some rows come twice in an epoch, others not at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainwright.data import addressed


class WithReplacement:
    """Draws every place of the epoch from all rows with equal chances, as a bootstrap does."""

    each_once = False

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of one epoch, int64 `[N]`; see `trainwright.data.samplers.base`."""
        if not len(rows):
            return rows
        key = addressed.key("replacement", seed, epoch)
        return rows[addressed.integers(key, np.arange(len(rows)), len(rows))[:, 0]]
