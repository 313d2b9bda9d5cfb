"""What the losses of a learning-rate range test say: Smith 2017, arXiv:1506.01186, section 3.3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Floats

# The curve is smoothed over about this share of the test on either side.
WIDTH = 0.1
# The loss at the beginning is a mean over this share, in which the rate is too low to change anything.
START = 0.05
# The test ends when the loss is above its beginning by this share of its fall.
RISE = 0.25
# A fall counts from so many standard errors of the smoothed loss on.
ERRORS = 4.0
# And from this share of the loss at the beginning on, for a loss without noise falls a little at any rate.
LEAST_FALL = 0.01
_NORMAL_MEDIAN = 0.6745  # of the absolute value of a standard normal variable


class Divergence:
    """Tells, loss by loss, when a test has seen enough: the loss is above its beginning again.

    Args:
        steps: Of the whole test.
    """

    def __init__(self, steps: int) -> None:
        self._keep = 1 - 1 / max(2.0, WIDTH * steps)
        self._first = max(1, round(START * steps))
        self._losses: list[float] = []
        self._sum, self._weight, self._lowest = 0.0, 0.0, math.inf

    def observe(self, loss: float) -> bool:
        """Whether the loss has risen for good; the exponential mean of losses is what is judged."""
        if not math.isfinite(loss):
            return True
        self._losses.append(loss)
        self._sum = self._keep * self._sum + loss
        self._weight = self._keep * self._weight + 1
        mean = self._sum / self._weight  # corrected for the mean's start at 0
        if len(self._losses) <= 2 * self._first:
            return False
        self._lowest = min(self._lowest, mean)
        return mean > self.ceiling

    @property
    def start(self) -> float:
        """The loss at the beginning."""
        return float(np.mean(self._losses[: self._first]))

    @property
    def ceiling(self) -> float:
        """A loss that no test comes back from."""
        fall = self.start - self._lowest if math.isfinite(self._lowest) else 0.0
        noise = 2 * noise_of(np.array(self._losses))
        return self.start + max(RISE * fall, noise, LEAST_FALL * abs(self.start))


@dataclass(frozen=True)
class RateCurve:
    """Losses by learning rate, and what they say.

    Attributes:
        rates: Learning rate of each step `[N]`, rising.
        losses: Mean loss of its batch `[N]`.
        smoothed: The same without the noise of batches `[N]`.
        steepest: Rate at which the loss falls fastest; None where nothing was learned.
        bound: Rate at which it is lowest, above which it rises; None where it was still falling at the end.
        unknown: Why no rate is suggested; empty where one is.
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    steepest: float | None = None
    bound: float | None = None
    unknown: str = ""

    @property
    def suggestion(self) -> float | None:
        """Half way between both by factors, rounded down to two digits; None where nothing was learned."""
        if self.steepest is None:
            return None
        return rounded_down(math.sqrt(self.steepest * (self.bound or self.steepest)))


def read_curve(rates: Sequence[float], losses: Sequence[float], steps: int, *, risen: bool) -> RateCurve:
    """Reads the curve of a test.

    Args:
        rates: Learning rate of each step that was taken, rising by equal factors.
        losses: Its loss before the weights were changed.
        steps: That the test would have had.
        risen: Whether it ended because the loss rose.
    """
    x, y = np.array(rates, dtype=np.float64), np.array(losses, dtype=np.float64)
    judge = Divergence(steps)
    for loss in losses:
        judge.observe(loss)
    if not np.isfinite(y[:1]).all():
        return RateCurve(x, y, y, unknown="the very first loss is no number")
    # An exploded loss must not reach through the smoothing to the steps before it.
    kept = np.minimum(np.nan_to_num(y, nan=np.inf, posinf=np.inf, neginf=np.inf), judge.ceiling)
    width = max(2.0, WIDTH * steps)
    smoothed = smooth(kept, width)
    turn = int(np.argmin(smoothed))
    fall = float(smoothed[0] - smoothed[turn])
    if fall <= _least_fall(kept, smoothed, width):
        return RateCurve(x, y, smoothed, unknown=_why_nothing(x, risen=risen))
    slope = np.gradient(smoothed, np.log10(x))
    steepest = float(x[int(np.argmin(slope[: turn + 1]))])
    seen = risen or turn < len(x) - max(2, round(START * steps))
    return RateCurve(x, y, smoothed, steepest, float(x[turn]) if seen else None)


def _least_fall(losses: Floats, smoothed: Floats, width: float) -> float:
    """What the noise of batches alone makes the smoothed loss fall by, hardly ever more."""
    error = noise_of(losses) / math.sqrt(2 * width - 1)  # of a one-sided exponential mean
    return max(ERRORS * math.sqrt(2) * error, LEAST_FALL * abs(float(smoothed[0])))


def _why_nothing(rates: Floats, *, risen: bool) -> str:
    if risen:
        return f"the loss never fell, and from a rate of {rates[-1]:.2g} on it rose"
    return f"the loss did not fall at any rate up to {rates[-1]:.2g}"


def noise_of(losses: Floats) -> float:
    """Standard deviation of losses about their slow course, from differences of neighbours."""
    if len(losses) < 2:
        return 0.0
    return float(np.median(np.abs(np.diff(losses)))) / (_NORMAL_MEDIAN * math.sqrt(2))


def smooth(values: Floats, width: float) -> Floats:
    """Means with weights that fall exponentially to both sides, so that nothing is shifted.

    Weights that reach over an end are left out, and the others add up to 1 all the same.

    Args:
        values: `[N]`.
        width: Distance at which a weight has fallen to about 1/e.
    """
    keep = 1 - 1 / width
    sums, weights = (
        _sums(part, keep) + _sums(part[::-1], keep)[::-1] - part for part in (values, np.ones(len(values)))
    )
    return np.asarray(sums / weights)


def _sums(values: Floats, keep: float) -> Floats:
    """Of each value and those before it, each step back worth `keep`."""
    total, found = 0.0, []
    for value in values:
        total = keep * total + value
        found.append(total)
    return np.array(found)


def rounded_down(value: float) -> float:
    """The next lower number with two significant digits."""
    exponent = math.floor(math.log10(value)) - 1
    # A factor for what is 4.999999 in floating point and 5 to a person.
    return float(f"{math.floor(value / 10.0**exponent * (1 + 1e-9))}e{exponent}")
