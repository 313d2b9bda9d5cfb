"""Watching a run: what a progress sink is told."""

from __future__ import annotations


class SilentProgress:
    """Nobody is watching."""

    def start(self, total_steps: int | None, steps_per_epoch: int, batch_size: int) -> None:
        """Training begins."""

    def step(self, step: int) -> None:
        """So many steps are done."""

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """So many epochs are done."""

    def data(self, done: int, total: int) -> None:
        """So many samples are decoded."""

    def message(self, text: str) -> None:
        """Something to know."""

    def close(self) -> None:
        """All is done."""
