"""What a step takes, from measurements at two smaller batches: memory and seconds, both as straight lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A training in miniature.

    Attributes:
        samples: Samples of a step.
        micro: Samples of a forward pass.
        host: Most bytes of the host's memory that the process held beyond its imports.
        device: Most bytes that it reserved on an accelerator of its own memory.
        seconds: Seconds of a step.
    """

    samples: int
    micro: int
    host: int
    device: int
    seconds: float


@dataclass(frozen=True)
class Line:
    """`fixed + per_sample * samples + per_pass * micro`.

    Attributes:
        fixed: What is taken however few samples there are.
        per_sample: What each sample of a step adds: it waits for its forward pass.
        per_pass: What each sample of one forward pass adds: what is kept for the backward pass.
    """

    fixed: float
    per_sample: float
    per_pass: float

    def at(self, samples: int, micro: int) -> float:
        """The value for a step of `samples`, `micro` of them at a time."""
        return self.fixed + self.per_sample * samples + self.per_pass * min(micro, samples)

    @classmethod
    def through(cls, points: Sequence[tuple[int, int, float]]) -> Line:
        """The line through values at (small, small), (large, small) and (large, large), or through the one
        value at a single size, which does not say how it grows.

        Args:
            points: Samples of a step and of a forward pass, and the value.
        """
        if len(points) == 1:
            return cls(points[0][2], 0.0, 0.0)
        (small, _, first), (large, _, divided), (_, _, whole) = points
        grown = large - small
        # What is read from a noisy measurement never says that more samples take less.
        per_sample = max(0.0, divided - first) / grown
        per_pass = max(0.0, whole - divided) / grown
        return cls(whole - per_sample * large - per_pass * large, per_sample, per_pass)


@dataclass(frozen=True)
class StepEstimate:
    """What a training takes, by the samples of a step and of a forward pass.

    Attributes:
        measured: What it is drawn from.
        mapped: Bytes of memory-mapped data: they come into memory as they are used, and are given back when
            others need the room.
        evaluation: Most bytes on the host once a batch of the evaluation was scored.
        evaluation_device: The same on the device.
        outputs: Bytes of outputs and targets that an evaluation keeps.
    """

    measured: tuple[Measured, ...]
    mapped: int = 0
    evaluation: int = 0
    evaluation_device: int = 0
    outputs: int = 0

    def host_bytes(self, samples: int, micro: int | None = None) -> int:
        """Most bytes of the host's memory beyond the imports, mapped data left out."""
        line = Line.through([(m.samples, m.micro, m.host) for m in self.measured])
        scored = self.evaluation + self.outputs
        return round(max(line.at(samples, micro or samples), scored))

    def device_bytes(self, samples: int, micro: int | None = None) -> int:
        """Most bytes of the device's own memory; 0 on the CPU."""
        line = Line.through([(m.samples, m.micro, m.device) for m in self.measured])
        return round(max(line.at(samples, micro or samples), self.evaluation_device))

    def seconds(self, samples: int) -> float:
        """Seconds of a step that is one forward pass."""
        whole = [(m.samples, m.micro, m.seconds) for m in self.measured if m.samples == m.micro]
        if len(whole) == 1:
            return whole[0][2] * samples / whole[0][0]
        (small, _, first), (large, _, second) = whole
        per_sample = max(0.0, second - first) / (large - small)
        return second + per_sample * (samples - large)
