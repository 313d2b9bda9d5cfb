"""What there is to know of a number that is predicted as a distribution, on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from trainwright.report.charts import Bars, Chart, Rule
from trainwright.report.number import NumberResult, analyse_number

_BARS = 20


def analyse_distribution(
    target: str, columns: dict[str, Any], classes: Sequence[str] = (), *, stem: str, seed: int = 0
) -> list[NumberResult]:
    """What is said of a number, and whether the widths of the distributions are honest.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        classes: Not used: a number has none.
        stem: Start of the plots' names.
        seed: Address of the bootstrap's resamples.
    """
    results = analyse_number(target, columns, classes, stem=stem, seed=seed)
    below = np.asarray(columns.get(f"{target}_below", ()), dtype=np.float64)
    below = below[np.isfinite(below)]
    if not len(below):
        return results
    return [replace(result, charts=[*result.charts, _histogram(below, stem)]) for result in results]


def _histogram(below: np.ndarray, stem: str) -> Chart:
    heights, edges = np.histogram(below, bins=_BARS, range=(0.0, 1.0))
    return Chart(
        f"{stem}-pit",
        "Probability integral transform",
        "probability given to numbers below the true one",
        "samples",
        [Bars(edges, heights.astype(np.float64)), Rule(len(below) / _BARS, axis="y")],
        x_range=(0.0, 1.0),
        note="Even bars: the distributions are right. High at both ends: they are too narrow. High in the "
        "middle: too wide. Higher on one side: shifted.",
    )
