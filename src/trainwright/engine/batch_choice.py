"""Which batch is fastest, and which is the largest that fits, from measurements at doubling sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trainwright.engine.step_estimate import Measured

# A smaller batch is as good as one that is this much faster.
NEARLY = 0.95
# Doubling that brings less than this, twice in a row, will bring nothing more.
GAIN = 1.02
# Of a batch that takes more than this beside the smallest one, the slope of the memory is known.
CLEAR_BYTES = 64 << 20


@dataclass(frozen=True)
class BatchChoice:
    """What measurements say of a batch size.

    Attributes:
        measured: By rising size, each step one forward pass.
        largest: Most samples of a step that fit into `room`; at most all that there are.
        rows: Training samples.
        room: Bytes that a training may take.
        on_device: Whether these are of an accelerator of its own memory.
    """

    measured: tuple[Measured, ...]
    largest: int
    rows: int
    room: int
    on_device: bool = False

    @property
    def rates(self) -> list[float]:
        """Samples a second of each size."""
        return [item.samples / item.seconds for item in self.measured]

    @property
    def suggestion(self) -> int:
        """The smallest size within a twentieth of the best rate."""
        wanted = NEARLY * max(self.rates)
        return next(m.samples for m, rate in zip(self.measured, self.rates, strict=True) if rate >= wanted)

    @property
    def rising(self) -> bool:
        """Whether the largest size that was measured is the fastest by far: a larger one may be faster."""
        return len(self.measured) > 1 and self.suggestion == self.measured[-1].samples


def choose_batch(measured: Sequence[Measured], rows: int, room: int, *, on_device: bool) -> BatchChoice:
    """Reads measurements.

    Args:
        measured: At least one, by rising size.
        rows: Training samples.
        room: Bytes that a training may take.
        on_device: Whether an accelerator's memory is what counts.
    """
    last, each = measured[-1], bytes_per_sample(measured, on_device=on_device)
    left = room - taken(last, on_device=on_device)
    more = rows if each <= 0 else max(0, int(left / each))
    return BatchChoice(tuple(measured), min(rows, last.samples + more), rows, room, on_device)


def taken(item: Measured, *, on_device: bool) -> int:
    """Bytes that count."""
    return item.device if on_device else item.host


def bytes_per_sample(measured: Sequence[Measured], *, on_device: bool) -> float:
    """How memory grows with the batch: by the two largest sizes; 0 where it does not."""
    if len(measured) < 2:
        return 0.0
    before, last = measured[-2:]
    grown = taken(last, on_device=on_device) - taken(before, on_device=on_device)
    return max(0.0, grown / (last.samples - before.samples))


def is_enough(
    measured: Sequence[Measured], limit: int, seconds: float, steps: int, *, on_device: bool
) -> bool:
    """Whether the next size, of twice as many samples, need not or must not be measured.

    Args:
        measured: At least one, by rising size.
        limit: Bytes that a measurement may take.
        seconds: That one may take.
        steps: Of one.
        on_device: Whether an accelerator's memory is what counts.
    """
    last = measured[-1]
    next_bytes = taken(last, on_device=on_device) + last.samples * bytes_per_sample(
        measured, on_device=on_device
    )
    if next_bytes > limit or 2 * last.seconds * (steps + 1) > seconds:
        return True
    if len(measured) < 3:
        return False
    rates = [item.samples / item.seconds for item in measured]
    slow = max(rates[-2:]) < GAIN * max(rates[:-2])
    clear = taken(last, on_device=on_device) - taken(measured[0], on_device=on_device) > CLEAR_BYTES
    return slow and clear
