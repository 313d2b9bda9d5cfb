"""Curves of several runs in one chart a metric; seeds of one recipe as their mean with their range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trainwright.report.charts import PALETTE, Chart, Line
from trainwright.report.comparison import Comparison
from trainwright.report.curves import POINTS, curve_line
from trainwright.runs.comparing import shared

CHARTS = 16
_ORDER = ("val", "test", "train")


def comparison_curves(comparison: Comparison) -> list[Chart]:
    """A chart for every metric that two groups have, validation first."""
    keys = shared([[key for series in group for key in series] for group in comparison.curves])
    # Values within an epoch say no more where the epoch's own are there.
    keys = [key for key in keys if not key.startswith(("saved/", "step/"))] or keys
    keys.sort(key=lambda key: _place(key.partition("/")[0]))
    return [_chart(key, comparison) for key in keys[:CHARTS]]


def _place(part: str) -> int:
    return _ORDER.index(part) if part in _ORDER else len(_ORDER)


def _chart(key: str, comparison: Comparison) -> Chart:
    marks = []
    for color, (name, group) in enumerate(zip(comparison.groups, comparison.curves, strict=True)):
        line = _line([series[key] for series in group if series.get(key)], name, color)
        if line is not None:
            marks.append(replace(line, dashed=color >= len(PALETTE)))
    return Chart(key, key, "step", key.rpartition("/")[2], marks)


def _line(curves: Sequence[Sequence[tuple[int, float]]], name: str, color: int) -> Line | None:
    lines = []
    for curve in curves:
        columns = np.array(curve, dtype=np.float64)
        lines.append(curve_line(columns[:, 0], columns[:, 1], name, color))
    if len(lines) < 2:
        return lines[0] if lines else None
    # At steps that all of them reached; in between a curve is straight.
    first, last = max(line.x[0] for line in lines), min(line.x[-1] for line in lines)
    steps = np.unique(np.concatenate([line.x for line in lines]))
    steps = steps[(steps >= first) & (steps <= last)]
    if not len(steps):
        return lines[0]
    steps = steps[:: 1 + len(steps) // (2 * POINTS)]
    values = np.array([np.interp(steps, line.x, line.y) for line in lines])
    low, high = values.min(axis=0), values.max(axis=0)
    return Line(steps, values.mean(axis=0), name, color, dots=len(steps) <= 40, low=low, high=high)
