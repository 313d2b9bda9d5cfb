"""Every trial as a line through all dimensions and objectives."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup, escape

from trainwright.report.scales import tick_text
from trainwright.report.study import Axis, StudyContents, Tried

HEIGHT, TOP, BOTTOM, SIDE, APART = 300, 34, 16, 70, 150
BEST = 0.1  # share of the trials that is drawn in colour


def parallel_coordinates(contents: StudyContents) -> Markup:
    """An `<svg>` element; the best tenth in colour over the others, by the first objective."""
    trials = contents.done
    axes = [*contents.axes, *(_of_objective(contents, index) for index in range(len(contents.objectives)))]
    width = 2 * SIDE + APART * (len(axes) - 1)
    parts = [_axis(axis, SIDE + APART * index) for index, axis in enumerate(axes)]
    sign = -1 if next(iter(contents.objectives.values())) == "maximize" else 1
    order = sorted(trials, key=lambda trial: -sign * (trial.values or (0.0,))[0])
    best = {trial.number for trial in order[-max(1, round(BEST * len(order))) :]}
    for trial in order:
        places = [axis.place(value) for axis, value in zip(axes, _values(contents, trial), strict=True)]
        style = "line c1" if trial.number in best else "line grey faint"
        parts.append(_line(places, style, f"trial {trial.number}"))
    label = escape(f"Trials of {contents.name} through all dimensions")
    return Markup(
        f'<svg class="parallel" viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _of_objective(contents: StudyContents, index: int) -> Axis:
    values = [trial.values[index] for trial in contents.done if trial.values]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return Axis(list(contents.objectives)[index], low=low, high=high)


def _values(contents: StudyContents, trial: Tried) -> list[object]:
    return [*(trial.point.get(axis.name) for axis in contents.axes), *(trial.values or ())]


def _height(place: float) -> float:
    return HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM)


def _axis(axis: Axis, x: float) -> str:
    named = escape(axis.name if len(axis.name) < 26 else "…" + axis.name[-24:])
    parts = [
        f'<path class="axis" d="M{x} {TOP}V{HEIGHT - BOTTOM}"/>',
        f'<text class="name" x="{x}" y="14" text-anchor="middle">{named}'
        f"<title>{escape(axis.name)}</title></text>",
    ]
    ends = [(0.0, tick_text(axis.low)), (1.0, tick_text(axis.high))]
    for place, text in [(axis.place(item), item) for item in axis.choices] or ends:
        shown = text if len(text) < 18 else text[:16] + "…"
        parts.append(f'<text x="{x + 5}" y="{_height(place) + 3:.1f}">{escape(shown)}</text>')
    return "".join(parts)


def _line(places: list[float], style: str, tip: str) -> str:
    path, pen_down = [], False
    for index, place in enumerate(places):
        if np.isfinite(place):
            path.append(f"{'L' if pen_down else 'M'}{SIDE + APART * index} {_height(place):.1f}")
        pen_down = bool(np.isfinite(place))
    return f'<path class="{style}" d="{"".join(path)}"><title>{escape(tip)}</title></path>'
