"""Charts as SVG text that follows the page's colours, light or dark, on screen or paper."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
from markupsafe import Markup, escape

from trainwright.metrics.arrays import Floats
from trainwright.report.charts import GREY, PALETTE, Bars, Chart, Heatmap, Line, Mark, Points, Rule, limits
from trainwright.report.scales import Scale, number_text, percent_text, tick_text

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 10, 40
RULES = 16  # room above the axes for the names of rules
WRITTEN_CELLS = 20  # with more classes a cell is too small for its count
LABELLED_CELLS = 40  # with more there is no room for names either: the matrix becomes a picture


def chart_svg(chart: Chart) -> Markup:
    """The chart as an `<svg>` element; every text in it is escaped."""
    height = WIDTH - LEFT - RIGHT + TOP + BOTTOM if chart.square else HEIGHT
    top = TOP + RULES * any(isinstance(mark, Rule) and bool(mark.label) for mark in chart.marks)
    (x_low, x_high), (y_low, y_high) = limits(chart)
    x = Scale(x_low, x_high, LEFT, WIDTH - RIGHT, log=chart.x_log)
    y = Scale(y_low, y_high, height - BOTTOM, top, log=chart.y_log)
    parts = [*_axes(chart, x, y, height), *(_mark(mark, x, y) for mark in chart.marks)]
    label = escape(f"{chart.title}: {chart.y_label} against {chart.x_label}")
    return Markup(
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _axes(chart: Chart, x: Scale, y: Scale, height: int) -> Iterator[str]:
    bottom = height - BOTTOM
    for value in y.ticks():
        at = float(y.place(np.array(value)))
        yield f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
        yield _text(LEFT - 6, at + 3.5, tick_text(value), "end")
    for value in x.ticks(6):
        at = float(x.place(np.array(value)))
        yield f'<path class="grid" d="M{at:.1f} {bottom}v4"/>'
        yield _text(at, bottom + 17, tick_text(value))
    yield f'<path class="axis" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>'
    middle, center = (LEFT + WIDTH - RIGHT) / 2, (y.end + bottom) / 2
    yield _text(middle, height - 5, chart.x_label)
    yield _text(12, center, chart.y_label, turned=True)


def _mark(mark: Mark, x: Scale, y: Scale) -> str:
    if isinstance(mark, Line):
        return _line(mark, x, y)
    if isinstance(mark, Bars):
        return _bars(mark, x, y)
    if isinstance(mark, Points):
        dots = _points(x.place(mark.x), y.place(mark.y))
        many = " many" if len(mark.x) > 300 else ""
        return f'<path class="points{many} {color_class(mark.color)}" d="{dots}"/>'
    return _rule(mark, x, y)


def _line(line: Line, x: Scale, y: Scale) -> str:
    across, up = x.place(line.x), y.place(line.y)
    style = color_class(line.color) + (" dashed" if line.dashed else "") + (" faint" if line.faint else "")
    parts = []
    if line.low is not None and line.high is not None:
        parts.append(_band(across, y.place(line.low), y.place(line.high), style))
    parts.append(f'<path class="line {style}" d="{_path(across, up)}">{_title(line.label)}</path>')
    if line.dots:
        parts.append(f'<path class="points {color_class(line.color)}" d="{_points(across, up)}"/>')
    return "".join(parts)


def _band(across: Floats, low: Floats, high: Floats, style: str) -> str:
    kept = np.isfinite(across) & np.isfinite(low) & np.isfinite(high)
    if kept.sum() < 2:
        return ""
    there = np.concatenate([across[kept], across[kept][::-1]])
    back = np.concatenate([high[kept], low[kept][::-1]])
    return f'<path class="band {style}" d="{_path(there, back)}Z"/>'


def _path(across: Floats, up: Floats) -> str:
    """Path data with a new start after every gap."""
    text, pen_down = [], False
    for a, b in zip(across.tolist(), up.tolist(), strict=True):
        if a != a or b != b:  # NaN
            pen_down = False
            continue
        text.append(f"{'L' if pen_down else 'M'}{a:.1f} {b:.1f}")
        pen_down = True
    return "".join(text)


def _points(across: Floats, up: Floats) -> str:
    """Dots as strokes of no length: ten bytes each, rounded by their line caps."""
    kept = np.isfinite(across) & np.isfinite(up)
    return "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(across[kept], up[kept], strict=True))


def _bars(bars: Bars, x: Scale, y: Scale) -> str:
    edges, tops = x.place(bars.edges), y.place(bars.heights)
    base = float(y.place(np.array(max(0.0, y.low))))
    style = color_class(bars.color)
    tips = bars.tips or [number_text(height) for height in bars.heights]
    return "".join(
        f'<path class="bar {style}" d="M{left + 0.5:.1f} {base:.1f}V{top:.1f}H{right - 0.5:.1f}V{base:.1f}Z">'
        f"{_title(tip)}</path>"
        for left, right, top, tip in zip(edges[:-1], edges[1:], tops, tips, strict=True)
        if np.isfinite(top)
    )


def _rule(rule: Rule, x: Scale, y: Scale) -> str:
    if rule.axis == "y":
        at = float(y.place(np.array(rule.at)))
        return f'<path class="rule" d="M{x.start} {at:.1f}H{x.end}"/>'
    at = float(x.place(np.array(rule.at)))
    anchor = "end" if at > (x.start + x.end) / 2 else "start"
    shift = -4 if anchor == "end" else 4
    return f'<path class="rule" d="M{at:.1f} {y.start}V{y.end}"/>' + _text(
        at + shift, y.end - 16 + 11 * rule.row, rule.label, anchor
    )


def color_class(color: int) -> str:
    """The CSS class that holds a colour."""
    return "grey" if color == GREY else f"c{color % len(PALETTE)}"


def _text(
    x: float, y: float, text: str, anchor: str = "middle", *, turned: bool = False, tip: str = ""
) -> str:
    """A piece of text at a place, turned to read upwards where asked."""
    place = f'transform="translate({x:.1f} {y:.1f}) rotate(-90)"' if turned else f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text {place} text-anchor="{anchor}">{escape(text)}{_title(tip)}</text>'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


def heatmap_svg(heatmap: Heatmap) -> Markup:
    """The matrix as an `<svg>` element: counts in the cells where they fit, shades of the row's share."""
    size = len(heatmap.labels)
    if size > LABELLED_CELLS:
        return _picture_svg(heatmap)
    cell = max(13.0, min(46.0, 560 / size))
    longest = max((len(label) for label in heatmap.labels), default=1)
    margin = min(150, 16 + 6.4 * min(longest, 20))
    edge = margin + cell * size
    parts = list(_cells(heatmap, cell, margin))
    for index, label in enumerate(heatmap.labels):
        at = margin + cell * (index + 0.5)
        parts.append(_text(margin - 6, at + 3.5, _shortened(label), "end", tip=label))
        parts.append(_text(at + 3.5, margin - 6, _shortened(label), "start", turned=True, tip=label))
    return Markup(
        f'<svg class="matrix" style="max-width:{edge + 2:.0f}px" viewBox="0 0 {edge + 2:.1f} {edge + 2:.1f}" '
        f'role="img" aria-label="{escape(heatmap.title)}">{"".join(parts)}</svg>'
    )


def _cells(heatmap: Heatmap, cell: float, margin: float) -> Iterator[str]:
    size = len(heatmap.labels)
    side = cell * size
    yield f'<rect class="frame" x="{margin}" y="{margin}" width="{side:.1f}" height="{side:.1f}"/>'
    for row, column in zip(*np.nonzero(heatmap.counts), strict=True):
        count, part = int(heatmap.counts[row, column]), float(heatmap.shares[row, column])
        left, top = margin + cell * column, margin + cell * row
        # The root makes one mistake in a thousand visible beside a full diagonal.
        shade = max(0.06, part**0.5)
        kind = "right" if row == column else "wrong"
        tip = f"{heatmap.labels[row]} → {heatmap.labels[column]}: {count:,} ({percent_text(part)})"
        yield (
            f'<rect class="{kind}" x="{left + 0.5:.1f}" y="{top + 0.5:.1f}" width="{cell - 1:.1f}" '
            f'height="{cell - 1:.1f}" fill-opacity="{shade:.2f}">{_title(tip)}</rect>'
        )
        if size <= WRITTEN_CELLS:
            ink = "onfill" if shade > 0.6 else "oncell"
            font = min(12.0, cell * 1.5 / max(2, len(str(count))))
            yield (
                f'<text class="{ink}" x="{left + cell / 2:.1f}" y="{top + cell / 2 + font * 0.35:.1f}" '
                f'text-anchor="middle" font-size="{font:.1f}">{count}</text>'
            )


def _picture_svg(heatmap: Heatmap) -> Markup:
    from PIL import Image

    size = len(heatmap.labels)
    shade = np.where(heatmap.counts > 0, np.maximum(60, 255 * heatmap.shares**0.5), 0).astype(np.uint8)
    pixels = np.zeros((size, size, 4), dtype=np.uint8)
    pixels[...] = (213, 94, 0, 0)
    pixels[np.arange(size), np.arange(size)] = (0, 114, 178, 0)
    pixels[..., 3] = shade
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return Markup(
        f'<svg class="matrix" style="max-width:560px" viewBox="0 0 {size} {size}" role="img" '
        f'aria-label="{escape(heatmap.title)}"><rect class="frame" width="{size}" height="{size}" '
        f'stroke-width="{size / 500:.2f}"/><image width="{size}" height="{size}" href="{uri}" '
        f'style="image-rendering:pixelated"/></svg>'
    )


def _shortened(label: str, length: int = 20) -> str:
    return label if len(label) <= length else label[: length - 1] + "…"
