"""Every row once per epoch, in a new random order each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.samplers.base import shuffled_narrowly


class Shuffle:
    """Visits every row exactly once, in an order addressed by (seed, epoch)."""

    each_once = True

    def order(self, seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """A permutation of `rows`, whole numbers `[N]`; see `trainwright.data.samplers.base`."""
        return shuffled_narrowly(rows, seed, epoch)
