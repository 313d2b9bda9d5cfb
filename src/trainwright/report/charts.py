"""What a chart shows, apart from how it is drawn: one description, drawn as SVG and as PNG.

Colours are numbers: `svg` and `png` turn them into the same colour-blind-safe palette (Okabe and Ito
2008), which the page adapts to light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from trainwright.metrics.arrays import Floats, Ints

# Blue, vermilion, green, purple, orange, sky: Okabe-Ito without the yellow that white paper swallows.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#b65d94", "#c98500", "#3a9bd1")
GREY = -1


@dataclass(frozen=True)
class Line:
    """A curve; gaps where y is not finite.

    Attributes:
        x: `[N]`.
        y: `[N]`.
        label: Name in the legend, empty for none.
        color: Place in `PALETTE`, taken modulo its length, or `GREY`.
        dashed: Drawn with dashes: the second of a pair, or a reference.
        faint: Thin and pale, one of many.
        dots: A dot at every point, for short series.
        low: Lower edge of a band around the curve `[N]`.
        high: Upper edge.
    """

    x: Floats
    y: Floats
    label: str = ""
    color: int = 0
    dashed: bool = False
    faint: bool = False
    dots: bool = False
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True)
class Bars:
    """Bars between edges, as of a histogram.

    Attributes:
        edges: `[N + 1]`.
        heights: `[N]`, NaN for no bar.
        tips: What to say of each bar.
    """

    edges: Floats
    heights: Floats
    label: str = ""
    color: int = 0
    tips: Sequence[str] = ()


@dataclass(frozen=True)
class Points:
    """A cloud of points `[N]`, pale where there are many."""

    x: Floats
    y: Floats
    label: str = ""
    color: int = 0


@dataclass(frozen=True)
class Rule:
    """A dashed line across the chart at one value of an axis.

    Attributes:
        at: The value.
        label: What is there.
        axis: Which axis the value is of.
        row: Place of the label from above, so that neighbours do not overlap.
    """

    at: float
    label: str = ""
    axis: Literal["x", "y"] = "x"
    row: int = 0


Mark: TypeAlias = Line | Bars | Points | Rule


@dataclass(frozen=True)
class Chart:
    """Marks over one pair of axes.

    Attributes:
        name: Stem of the PNG's name.
        title: Heading.
        x_label: What the horizontal axis measures, with its unit.
        y_label: The vertical one.
        marks: What is drawn, from back to front.
        x_range: Fixed limits; from the marks when absent.
        y_range: The same.
        x_log: Logarithmic horizontal axis; values that are not positive are left out.
        y_log: The same of the vertical axis.
        square: As high as wide.
        note: A sentence below the chart.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    marks: Sequence[Mark]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    x_log: bool = False
    y_log: bool = False
    square: bool = False
    note: str = ""


@dataclass(frozen=True)
class Heatmap:
    """A confusion matrix: rows are true classes, columns predicted ones.

    Attributes:
        counts: `[R, R]`.
        labels: Class names `[R]`.
        totals: Samples per true class `[R]`, which a cell's shade is relative to.
        title: Heading.
        note: A sentence below.
    """

    name: str
    title: str
    counts: Ints
    labels: Sequence[str]
    totals: Ints
    note: str = ""
    shares: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", self.counts / np.maximum(self.totals, 1)[:, None])


def limits(chart: Chart) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of both axes: the fixed ones, or the finite values of the marks with a little air."""
    x = chart.x_range or _around(
        [part for mark in chart.marks for part in _values(mark, "x")], 0.0, positive=chart.x_log
    )
    y = chart.y_range or _around(
        [part for mark in chart.marks for part in _values(mark, "y")], 0.04, positive=chart.y_log
    )
    return x, y


def _values(mark: Mark, axis: str) -> list[Floats]:
    if isinstance(mark, Rule):
        return [np.array([mark.at])] if mark.axis == axis else []
    if isinstance(mark, Bars):
        return [mark.edges] if axis == "x" else [mark.heights, np.zeros(1)]
    if axis == "x":
        return [mark.x]
    edges = [mark.low, mark.high] if isinstance(mark, Line) else []
    return [mark.y, *(edge for edge in edges if edge is not None)]


def _around(parts: Sequence[Floats], air: float, *, positive: bool = False) -> tuple[float, float]:
    values = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    if positive:
        values = values[values > 0]
    if not values.size:
        return (0.1, 1.0) if positive else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if positive:
        factor = max((high / low) ** air, 1.05)
        return low / factor, high * factor
    margin = (high - low) * air
    if high == low:
        return low - (abs(low) * 0.1 or 0.5), high + (abs(high) * 0.1 or 0.5)
    # A count or a share starts at 0, and air below it would look like negative values.
    return (low - margin if low < 0 or low > margin else low), high + margin
