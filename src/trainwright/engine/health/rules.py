"""Rules that judge numbers read while a training runs. Each gives a sentence, or None where all is well."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

WINDOWS = 20
"""Readings of the training loss that the slope test looks at."""
EPOCHS = 6
"""Epochs over which a plateau is judged."""
NORMS = 21
"""Norms that the newest one is judged among."""
IN_A_ROW = 3
"""Readings that all show a vanishing gradient."""
_EXPLODING = 100.0
_VANISHING = 1e-6
_READINGS = 5
_SIGNIFICANT = 4.0
_GROWN = 1.5
_FLAT = 1e-3
_DEAD = 0.5


def exploding(norms: Sequence[float]) -> str | None:
    """Whether the newest gradient norm is far above the median of those before it.

    Args:
        norms: Global norms, oldest first.
    """
    *before, last = norms
    if len(before) < _READINGS:
        return None
    usual = statistics.median(before)
    if not usual > 0 or last <= _EXPLODING * usual:
        return None
    return f"the gradient's norm is {last:.3g}, {last / usual:,.0f} times its median before"


def vanishing(readings: Sequence[Mapping[str, float]]) -> tuple[str, str] | None:
    """A group of layers whose gradient is next to nothing, again and again, and a sentence about it.

    Args:
        readings: Root mean square of the gradient by group, oldest first.
    """
    recent = readings[-IN_A_ROW:]
    if len(recent) < IN_A_ROW:
        return None
    for name in recent[-1]:
        largest = [max(reading.values()) for reading in recent]
        if all(
            big > 0 and reading.get(name, big) <= _VANISHING * big
            for reading, big in zip(recent, largest, strict=True)
        ):
            share = recent[-1][name] / largest[-1]
            return name, f"the gradient vanishes in {name}: {share:.1g} of that of the strongest layers"
    return None


def diverging(losses: Sequence[float]) -> str | None:
    """Whether the training loss rises: a significant slope (Student's t of least squares), and a real rise.

    Args:
        losses: Means between successive readings, oldest first.
    """
    recent = list(losses[-WINDOWS:])
    if len(recent) < WINDOWS or not all(map(math.isfinite, recent)):
        return None
    slope, t = slope_test(recent)
    quarter = WINDOWS // 4
    first, last = statistics.fmean(recent[:quarter]), statistics.fmean(recent[-quarter:])
    if slope <= 0 or t < _SIGNIFICANT or last < first + (_GROWN - 1) * abs(first):
        return None
    return f"the training loss rises, from {first:.4g} to {last:.4g} over {WINDOWS} readings (t = {t:.1f})"


def plateau(losses: Sequence[float]) -> str | None:
    """Whether the training loss has stood still over some epochs.

    Args:
        losses: The loss of every epoch, oldest first.
    """
    recent = list(losses[-EPOCHS:])
    if len(recent) < EPOCHS or not all(map(math.isfinite, recent)):
        return None
    spread, size = max(recent) - min(recent), abs(statistics.fmean(recent))
    if spread > _FLAT * size:
        return None
    return f"the training loss stands still: {recent[0]:.5g} to {recent[-1]:.5g} over {EPOCHS} epochs"


def dead_units(shares: Mapping[str, float]) -> tuple[str, str] | None:
    """The layer of which most units never become active, and a sentence about it.

    Args:
        shares: Share of units that gave nothing for any sample of a batch, by layer.
    """
    if not shares:
        return None
    name = max(shares, key=lambda key: shares[key])
    if shares[name] < _DEAD:
        return None
    return (
        name,
        f"{shares[name]:.0%} of the units of {name} are dead: they gave 0 for every sample of a batch",
    )


def slope_test(values: Sequence[float]) -> tuple[float, float]:
    """Slope of the least-squares line through equally spaced values, and its Student's t."""
    n = len(values)
    middle, mean = (n - 1) / 2, statistics.fmean(values)
    spread = sum((i - middle) ** 2 for i in range(n))
    slope = sum((i - middle) * (value - mean) for i, value in enumerate(values)) / spread
    rest = sum((value - mean - slope * (i - middle)) ** 2 for i, value in enumerate(values))
    deviation = math.sqrt(rest / (n - 2) / spread)
    return slope, slope / deviation if deviation else math.copysign(math.inf, slope) if slope else 0.0
