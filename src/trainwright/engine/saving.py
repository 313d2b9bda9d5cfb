"""When the state for a resume is saved, and that only what is good to go back to is."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from trainwright.engine.averages import Averages, means
from trainwright.engine.checkpoint import CheckpointWriter
from trainwright.engine.health.diverged import refuse_not_finite
from trainwright.engine.parts import Parts
from trainwright.engine.position import Position
from trainwright.engine.state import State


class Saving:
    """Saves the state of a loop.

    Args:
        parts: What the loop drives.
        state: What is saved.
        writer: Takes checkpoints; None on processes other than the first.
        position: Where the loop stands.
        averages: Its running means.

    Attributes:
        before_regular: Called with the step before a regular save; see `CheckpointStore.write`.
    """

    def __init__(
        self,
        parts: Parts,
        state: State,
        writer: CheckpointWriter | None,
        position: Position,
        averages: Averages,
    ) -> None:
        self.before_regular: Callable[[int], None] = lambda _step: None
        self._parts, self._state, self._writer = parts, state, writer
        self._position, self._averages = position, averages
        self._saved_at = time.monotonic()

    @property
    def due_by_steps(self) -> bool:
        """Whether the recipe saves after these many steps."""
        every = self._parts.save_every_steps
        return every is not None and self._position.step % every == 0

    @property
    def due_by_time(self) -> bool:
        """Whether the last save is too long ago; processes' clocks differ, so only one process asks."""
        limit = self._parts.save_every_seconds
        return (
            limit is not None
            and self._parts.processes.size == 1
            and time.monotonic() - self._saved_at > limit
        )

    def save(self, *, regular: bool) -> None:
        """Saves now.

        Args:
            regular: Every run of the recipe does so at this step, however often it is interrupted.

        Raises:
            Diverged: The weights, or the loss so far, are no numbers.
        """
        self._saved_at = time.monotonic()
        # Every process takes part: what differs between them is gathered.
        if self._writer is None and self._parts.processes.size == 1:
            return
        self._refuse_broken()
        tree = self._state.tree()
        if self._writer is not None:
            if regular:
                self.before_regular(self._position.step)
            self._writer.submit(self._position.step, tree, regular=regular)

    def _refuse_broken(self) -> None:
        weights = [p.detach() for runner in self._parts.runners for p in runner.parameters]
        norms = torch.stack([norm.float() for norm in torch._foreach_norm(weights)])
        waiting = means(self._parts.processes.sum_pairs(self._averages.epoch_sums()))
        values = {f"step/{name}": value for name, value in waiting.items()}
        values["the norm of the weights"] = float(norms.norm())
        refuse_not_finite(values, self._position.step)
