"""Charts as PNG files, by matplotlib's Agg. No pyplot: no global state, and half the import."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.report.charts import GREY, PALETTE, Bars, Chart, Heatmap, Line, Mark, Points, limits
from trainwright.report.svg import LABELLED_CELLS, WRITTEN_CELLS
from trainwright.runs.atomic import write_bytes

DPI = 100
COLUMNS = 3
INK, PALE = "#333a41", "#dfe3e6"


def write_charts(path: Path, charts: Sequence[Chart]) -> None:
    """Draws charts side by side into one PNG.

    Raises:
        StorageError: The file cannot be written.
    """
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(charts))
    rows = -(-len(charts) // columns)
    height = 4.6 if any(chart.square for chart in charts) else 3.5
    figure = Figure(figsize=(5.2 * columns, height * rows), dpi=DPI)
    # Fixed margins: `tight_layout` draws everything a second time.
    figure.subplots_adjust(
        left=0.75 / (5.2 * columns),
        right=1 - 0.15 / (5.2 * columns),
        bottom=0.6 / (height * rows),
        top=1 - 0.4 / (height * rows),
        wspace=0.22,
        hspace=0.36,
    )
    for place, chart in enumerate(charts, start=1):
        _draw(figure.add_subplot(rows, columns, place), chart)
    _save(figure, path)


def write_heatmap(path: Path, heatmap: Heatmap) -> None:
    """Draws a confusion matrix into a PNG. Raises StorageError."""
    from matplotlib.figure import Figure

    size = len(heatmap.labels)
    named = size <= LABELLED_CELLS
    side = 3.4 + 0.13 * size if named else 6.5
    longest = max(len(label) for label in heatmap.labels) if named else 0
    margin = 0.5 + 0.075 * min(longest, 20)
    whole = side + margin + 0.15
    figure = Figure(figsize=(whole, whole), dpi=DPI)
    axes = figure.add_axes((margin / whole, 0.15 / whole, side / whole, side / whole))
    axes.imshow(np.sqrt(heatmap.shares), cmap="Blues", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    axes.set_ylabel("true", color=INK)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted", color=INK)
    axes.tick_params(
        length=0, labelsize=8, labelcolor=INK, top=True, labeltop=True, bottom=False, labelbottom=False
    )
    if named:
        names = [label if len(label) <= 20 else label[:19] + "…" for label in heatmap.labels]
        axes.set_xticks(range(size), [_plain(name) for name in names], rotation=90)
        axes.set_yticks(range(size), [_plain(name) for name in names])
    if size <= WRITTEN_CELLS:
        for row, column in zip(*np.nonzero(heatmap.counts), strict=True):
            ink = "white" if heatmap.shares[row, column] > 0.36 else INK
            axes.text(
                column, row, str(heatmap.counts[row, column]), ha="center", va="center", color=ink, fontsize=8
            )
    _save(figure, path)


def _draw(axes: Any, chart: Chart) -> None:
    x, y = limits(chart)
    # A fixed height: finding one draws every tick label a second time.
    axes.set_title(_plain(chart.title), fontsize=11, color=INK, loc="left", y=1.03)
    axes.set_xlabel(_plain(chart.x_label), color=INK, fontsize=9)
    axes.set_ylabel(_plain(chart.y_label), color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=8, length=3)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if chart.x_log:
        axes.set_xscale("log")
    if chart.y_log:
        axes.set_yscale("log")
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    for mark in chart.marks:
        _mark(axes, mark)
    if sum(bool(getattr(mark, "label", "")) for mark in chart.marks if not hasattr(mark, "at")) > 1:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc="best" if len(chart.marks) < 4 else 0)


def _mark(axes: Any, mark: Mark) -> None:
    if isinstance(mark, Line):
        color, label = _color(mark.color), _plain(mark.label)
        width = 0.7 if mark.faint else 1.6
        style = "--" if mark.dashed else "-"
        dots = {"marker": "o", "markersize": 3} if mark.dots else {}
        axes.plot(mark.x, mark.y, style, color=color, linewidth=width, label=label or None, **dots)
        if mark.low is not None and mark.high is not None:
            axes.fill_between(mark.x, mark.low, mark.high, color=color, alpha=0.15, linewidth=0)
    elif isinstance(mark, Bars):
        axes.stairs(np.nan_to_num(mark.heights), mark.edges, fill=True, color=_color(mark.color), alpha=0.75)
    elif isinstance(mark, Points):
        size, alpha = (2.0, 0.35) if len(mark.x) > 300 else (3.5, 0.8)
        axes.plot(
            mark.x, mark.y, "o", color=_color(mark.color), markersize=size, alpha=alpha, markeredgewidth=0
        )
    else:
        line = axes.axvline if mark.axis == "x" else axes.axhline
        line(mark.at, color="#8a939b", linewidth=1, linestyle=":")
        if mark.axis == "x" and mark.label:
            height = 0.96 - 0.06 * mark.row
            axes.text(
                mark.at, height, f" {mark.label}", color=INK, fontsize=7, transform=axes.get_xaxis_transform()
            )


def _color(color: int) -> str:
    return "#9aa3aa" if color == GREY else PALETTE[color % len(PALETTE)]


def _plain(text: str) -> str:
    """Text from data without mathematics: matplotlib would parse what stands between two dollars."""
    return text.replace("$", r"\$")


def _save(figure: Any, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=DPI, pil_kwargs={"compress_level": 3})
    write_bytes(path, buffer.getvalue())
