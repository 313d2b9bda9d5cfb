"""From values to places on paper, round tick values, and numbers as people write them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Floats


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels.

    Attributes:
        low: Value at `start`.
        high: Value at `end`.
        start: Pixel of `low`.
        end: Pixel of `high`; smaller than `start` for an axis that points up.
        log: Logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, values: Floats) -> Floats:
        """Pixels of values, NaN where a value has no place."""
        values = np.asarray(values, dtype=np.float64)
        low, high = self.low, self.high
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(values > 0, np.log(values), np.nan)
            low, high = math.log(low), math.log(high)
        places = self.start + (values - low) / ((high - low) or 1.0) * (self.end - self.start)
        return np.where(np.isfinite(places), places, np.nan)

    def ticks(self, count: int = 5) -> list[float]:
        """Round values within the limits."""
        return log_ticks(self.low, self.high) if self.log else linear_ticks(self.low, self.high, count)


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` multiples of 1, 2 or 5 times a power of ten within the limits."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.75)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within the limits, and 2 and 5 times them where there would be fewer than three."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 2, 5)):
        ticks = [f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high]
        if len(ticks) >= 3:
            break
    return ticks[:: max(1, len(ticks) // 7)] or linear_ticks(low, high)


def tick_text(value: float) -> str:
    """A tick's label: short, without the noise of binary fractions."""
    if value == 0:
        return "0"
    if abs(value) >= 1e4 and abs(value) < 1e7 and value == round(value, -2):
        return f"{value / 1000:g}k"
    return f"{value:.6g}".replace("e-0", "e-").replace("e+0", "e")


def number_text(value: float | None, digits: int = 4) -> str:
    """A number with a few significant digits; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    # The zeros at the end stay: a column of numbers of one precision is easier to read.
    return f"{value:#.{digits}g}".rstrip(".").replace("e-0", "e-").replace("e+0", "e")


def percent_text(value: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f} %"


def seconds_text(seconds: float | None) -> str:
    """A duration as a person would say it."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 100:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
