"""Running means of what the steps report, without waiting for the device in each step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Sums = dict[str, tuple[float, float]]


class Averages:
    """Sums of scalars over the samples of a stretch of steps, and of the whole epoch.

    Values stay on the device until they are asked for. They are then added one by one in double
    precision, so no sum depends on when it was asked for, which an exact resume needs.
    """

    def __init__(self) -> None:
        self._pending: dict[str, list[Tensor]] = {}
        self._weights: dict[str, list[float]] = {}
        self._stretch: Sums = {}
        self._epoch: Sums = {}

    def add(self, name: str, value: Tensor, weight: float) -> None:
        """Adds a detached scalar tensor, the sum over `weight` samples."""
        pending = self._pending.get(name)
        if pending is None:
            pending = self._pending[name] = []
            self._weights[name] = []
        pending.append(value)
        self._weights[name].append(weight)

    def _settle(self) -> None:
        for name, pending in self._pending.items():
            if not pending:
                continue
            stretch, stretch_weight = self._stretch.get(name, (0.0, 0.0))
            epoch, epoch_weight = self._epoch.get(name, (0.0, 0.0))
            values = torch.stack(pending).double().tolist()
            for value, weight in zip(values, self._weights[name], strict=True):
                stretch += value
                epoch += value
                stretch_weight += weight
                epoch_weight += weight
            self._stretch[name], self._epoch[name] = (stretch, stretch_weight), (epoch, epoch_weight)
            pending.clear()
            self._weights[name].clear()

    def sums(self) -> Sums:
        """(sum, total weight) of every scalar in this stretch, to be added over processes."""
        self._settle()
        return dict(self._stretch)

    def epoch_sums(self) -> Sums:
        """The same over the epoch so far, of all its stretches."""
        self._settle()
        return dict(self._epoch)

    def next_stretch(self) -> None:
        """Starts a new stretch within the epoch."""
        self._settle()
        self._stretch.clear()

    def next_epoch(self) -> None:
        """Starts the next epoch, and a new stretch with it."""
        self._pending.clear()
        self._weights.clear()
        self._stretch.clear()
        self._epoch.clear()

    def state_dict(self) -> dict[str, Any]:
        """Partial sums."""
        self._settle()
        return {"stretch": dict(self._stretch), "epoch": dict(self._epoch)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts partial sums back."""
        self.next_epoch()
        self._stretch.update(state["stretch"])
        self._epoch.update(state["epoch"])


def means(sums: Sums) -> dict[str, float]:
    """The mean of every scalar, from its sum and weight."""
    return {name: total / weight for name, (total, weight) in sums.items()}
