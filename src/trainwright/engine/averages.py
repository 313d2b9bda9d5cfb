"""Running means of what the steps report, without waiting for the device in each step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Averages:
    """Sums of scalars over the samples of a stretch of steps.

    Values stay on the device until they are asked for. They are then added one by one in double
    precision, so the sum does not depend on when it was asked for, which an exact resume needs.
    """

    def __init__(self) -> None:
        self._pending: dict[str, list[Tensor]] = {}
        self._weights: dict[str, list[float]] = {}
        self._sums: dict[str, float] = {}
        self._totals: dict[str, float] = {}

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
            total, weight_sum = self._sums.get(name, 0.0), self._totals.get(name, 0.0)
            values = torch.stack(pending).double().tolist()
            for value, weight in zip(values, self._weights[name], strict=True):
                total += value
                weight_sum += weight
            self._sums[name], self._totals[name] = total, weight_sum
            pending.clear()
            self._weights[name].clear()

    def means(self) -> dict[str, float]:
        """The mean of every scalar so far."""
        self._settle()
        return {name: total / self._totals[name] for name, total in self._sums.items()}

    def sums(self) -> dict[str, tuple[float, float]]:
        """(weighted sum, total weight) of every scalar, to be added over processes."""
        self._settle()
        return {name: (total, self._totals[name]) for name, total in self._sums.items()}

    def reset(self) -> None:
        """Starts a new stretch."""
        self._pending.clear()
        self._weights.clear()
        self._sums.clear()
        self._totals.clear()

    def state_dict(self) -> dict[str, Any]:
        """Partial sums."""
        self._settle()
        return {"sums": dict(self._sums), "totals": dict(self._totals)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts partial sums back."""
        self.reset()
        self._sums.update(state["sums"])
        self._totals.update(state["totals"])


class EpochSums:
    """Weighted sums over the records of an epoch."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, sums: dict[str, tuple[float, float]]) -> None:
        """Adds (sum, weight) pairs."""
        for name, (total, weight) in sums.items():
            held = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = (held[0] + total, held[1] + weight)

    def means(self) -> dict[str, float]:
        """Means so far."""
        return {name: total / weight for name, (total, weight) in self._sums.items()}

    def reset(self) -> None:
        """Starts the next epoch."""
        self._sums = {}

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return {name: list(pair) for name, pair in self._sums.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts the sums back."""
        self._sums = {name: (pair[0], pair[1]) for name, pair in state.items()}
