"""Paired tests: whether two models differ on the same samples by more than chance would have it.

Nothing here assumes a distribution. Small numbers of samples are counted out exactly, larger ones drawn with
an addressed generator, so that the same values give the same p-value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from trainwright.metrics.arrays import Floats
from trainwright.metrics.bootstrap import BUDGET, generator

EXACT_SAMPLES = 16  # 65,536 ways to give signs
EXACT_SPLITS = 20_000  # ways to part values into two groups, counted out up to here
DRAWS = 9999
FEWEST_DRAWS = 999
_CHUNK = 1 << 22  # signs in memory at once


def sign_test(first: int, second: int) -> float:
    """Two-sided exact sign test, which is McNemar's exact test for right and wrong answers.

    McNemar, Psychometrika 1947, https://doi.org/10.1007/BF02295996, with the binomial distribution in place
    of its approximation.

    Args:
        first: Samples on which only the first model is right.
        second: Samples on which only the second is.

    Returns:
        p in 0..1; 1 where they never differ.
    """
    total, few = first + second, min(first, second)
    if 2 * few >= total:
        return 1.0
    counts = np.arange(few + 1)
    # Logarithms of the binomial coefficients, relative to the largest, which do not overflow.
    steps = np.log(total - counts[:-1]) - np.log(counts[:-1] + 1)
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    top = logs.max()
    tail = math.log(np.exp(logs - top).sum()) + top - total * math.log(2)
    return min(1.0, 2 * math.exp(tail))


def signed_permutation(differences: Floats, *, seed: int = 0) -> float:
    """Two-sided permutation test of a mean of paired differences, which are as likely of either sign if none.

    Fisher's randomisation test. Differences that are 0 or NaN say nothing and are left out. Up to
    `EXACT_SAMPLES` all signs are counted; of more, draws, with the one that was observed counted among them,
    so that p is never below 1 / (draws + 1) (Phipson and Smyth 2010, https://doi.org/10.2202/1544-6115.1585).

    Args:
        differences: Of one model and the other on each sample `[N]`.
        seed: Address of the draws.

    Returns:
        p in 0..1; 1 where no sample differs.
    """
    values = np.asarray(differences, dtype=np.float64)
    values = values[np.isfinite(values) & (values != 0)]
    if not values.size:
        return 1.0
    # Sums that are equal but for rounding count as equal.
    reached = abs(float(values.sum())) - 1e-12 * float(np.abs(values).sum())
    if values.size <= EXACT_SAMPLES:
        ways = np.arange(1 << values.size)[:, None] >> np.arange(values.size) & 1
        return float((np.abs((1 - 2 * ways) @ values) >= reached).mean())
    draws = max(FEWEST_DRAWS, min(DRAWS, BUDGET // values.size))
    return (1 + _drawn_beyond(values, reached, draws, seed)) / (draws + 1)


def _drawn_beyond(values: Floats, reached: float, draws: int, seed: int) -> int:
    """How many of the draws of signs give a sum at least as far from 0."""
    draw, total, found = generator(seed), float(values.sum()), 0
    size = math.ceil(values.size / 8)
    rows = max(1, _CHUNK // values.size)
    for start in range(0, draws, rows):
        count = min(rows, draws - start)
        raw = np.frombuffer(draw.bytes(count * size), dtype=np.uint8).reshape(count, size)
        turned = np.unpackbits(raw, axis=1, count=values.size).astype(np.float64) @ values
        found += int((np.abs(total - 2 * turned) >= reached).sum())
    return found


def group_permutation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Two-sided exact permutation test of the means of two groups of values, such as those of several seeds.

    Args:
        first: Values of one group.
        second: Values of the other.

    Returns:
        p in 0..1; None where a group has fewer than two values, or there are too many ways to count.
    """
    values = np.array([*first, *second], dtype=np.float64)
    ways = math.comb(len(values), len(first))
    if min(len(first), len(second)) < 2 or ways > EXACT_SPLITS or not np.isfinite(values).all():
        return None
    chosen = np.array(list(combinations(range(len(values)), len(first))))
    sums = values[chosen].sum(axis=1)
    gaps = np.abs(sums / len(first) - (values.sum() - sums) / len(second))
    observed = abs(float(np.mean(first)) - float(np.mean(second)))
    return float((gaps >= observed - 1e-12 * float(np.abs(values).max())).mean())


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values that allow for the number of comparisons (Holm, Scandinavian Journal of Statistics 1979).

    Args:
        p_values: One per comparison.

    Returns:
        In the same order, each at least as large as before and at most 1.
    """
    adjusted = [0.0] * len(p_values)
    so_far = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        so_far = max(so_far, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = so_far
    return adjusted
