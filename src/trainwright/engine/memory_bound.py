"""Bounds of the memory that a training takes, counted without training."""

from __future__ import annotations

from dataclasses import dataclass

# Buffers of libraries, code that is loaded late, and the allocator's waste.
BASE_BYTES = 256 << 20
# Gradients of what is kept, and what kernels need for themselves; seen: 1.0 to 1.6.
KEPT_FACTOR = 2.5
# A batch is stored, varied and laid out, and loaded ahead.
BATCH_FACTOR = 6


@dataclass(frozen=True)
class Counted:
    """What is known of a training from two samples.

    Attributes:
        weights: Bytes of weights and buffers.
        trained: Bytes of those weights that are trained.
        kept: Bytes that a forward pass keeps of one sample; 0 where that is not known.
        row: Bytes of one sample as the model reads it.
        averaged: Whether an average of the weights is kept.
        candidates: Executions that are measured side by side before the first step.
    """

    weights: int
    trained: int
    kept: float
    row: int
    averaged: bool = False
    candidates: int = 1

    @property
    def state(self) -> int:
        """Bytes of a checkpoint: weights, their average, and two moments of each that is trained."""
        return self.weights + 2 * self.trained + (self.trained if self.averaged else 0)

    def at_least(self, samples: int, micro: int) -> int:
        """What a step certainly takes: weights, gradients, the batch and what is kept of a forward pass."""
        return round(self.weights + self.trained + self.row * samples + self.kept * min(micro, samples))

    def at_most(self, samples: int, micro: int) -> int:
        """What a training hardly takes more than."""
        learned = self.state + self.trained
        copies = (
            2 * self.state + 4 * self.weights
        )  # a checkpoint and the best weights, on their way to the disk
        tried = (self.candidates - 1) * learned
        step = KEPT_FACTOR * self.kept * min(micro, samples) + BATCH_FACTOR * self.row * samples
        return round(BASE_BYTES + learned + max(copies, tried) + step)
