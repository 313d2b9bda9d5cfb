"""The loss of every training sample over the epochs: wrong labels keep a high one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# Losses wait on the device, so that no step waits for it; this many steps' at most.
_WAITING = 512


class SampleLosses:
    """Sums of each sample's loss, 12 bytes a sample, added up where nobody waits for the device.

    Args:
        rows: Rows of the training split, int64 `[n]`.
    """

    def __init__(self, rows: npt.NDArray[np.int64]) -> None:
        self.rows = np.unique(rows)
        self.total = np.zeros(len(self.rows), dtype=np.float32)
        self.last = np.zeros(len(self.rows), dtype=np.float32)
        self.count = np.zeros(len(self.rows), dtype=np.int32)
        self._ids: list[npt.NDArray[np.int64]] = []
        self._losses: list[Tensor] = []

    def add(self, ids: npt.NDArray[np.int64], losses: Tensor) -> None:
        """Takes detached losses `[B]` of samples by row number `[B]`; a scalar tells nothing of a sample."""
        if losses.dim() != 1:
            return
        self._ids.append(ids)
        self._losses.append(losses)
        if len(self._ids) >= _WAITING:
            self.settle()

    def settle(self) -> None:
        """Adds up what waits, in the order in which it came."""
        if not self._ids:
            return
        places = np.searchsorted(self.rows, np.concatenate(self._ids))
        losses = torch.cat(self._losses).float().cpu().numpy()
        self._ids.clear()
        self._losses.clear()
        # A sample may come twice (with replacement): `add.at` counts both, one after the other.
        np.add.at(self.total, places, losses)
        np.add.at(self.count, places, 1)
        self.last[places] = losses

    def means(self) -> npt.NDArray[np.float32]:
        """Mean loss of each row `[n]`, NaN where it was never seen."""
        self.settle()
        with np.errstate(invalid="ignore"):
            return np.where(self.count > 0, self.total / self.count, np.nan).astype(np.float32)

    def state_dict(self) -> dict[str, Any]:
        """Sums so far."""
        self.settle()
        return {name: torch.from_numpy(getattr(self, name).copy()) for name in ("total", "last", "count")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts sums back."""
        self._ids.clear()
        self._losses.clear()
        for name in ("total", "last", "count"):
            getattr(self, name)[:] = state[name].numpy()


def joined(parts: list[SampleLosses]) -> SampleLosses:
    """The sums of several processes, which share out the samples of every epoch.

    `last` is that of the process that saw a sample most often, the first one among equals.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts:
        part.settle()
    whole = SampleLosses(first.rows)
    whole.total = np.sum([part.total for part in parts], axis=0, dtype=np.float32)
    whole.count = np.sum([part.count for part in parts], axis=0, dtype=np.int32)
    most = np.argmax([part.count for part in parts], axis=0)
    whole.last = np.choose(most, [part.last for part in parts])
    return whole
