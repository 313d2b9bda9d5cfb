"""Charts of a study: history, learning curves, slices and the front."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainwright.report.charts import GREY, Chart, Line, Mark, Points
from trainwright.report.study import Axis, StudyContents, Tried

CURVES = 300  # of more trials every second, third ... is drawn


def history(contents: StudyContents) -> list[Chart]:
    """Every objective by trial; of one objective also the best so far."""
    charts = []
    for index, (name, direction) in enumerate(contents.objectives.items()):
        x, y = _columns(contents.done, index)
        marks: list[Mark] = [Points(x, y, "done", 0)]
        early = [trial for trial in contents.trials if trial.state in ("stopped", "paused") and trial.values]
        if early:
            marks.insert(0, Points(*_columns(early, index), "stopped or paused, at its last epoch", GREY))
        if len(contents.objectives) == 1 and len(y):
            best = np.maximum.accumulate(y) if direction == "maximize" else np.minimum.accumulate(y)
            marks.append(Line(x, best, "best so far", 1))
        charts.append(Chart(f"history-{index}", f"History: {name}", "trial", name, marks))
    return charts


def learning_curves(contents: StudyContents) -> Chart | None:
    """The first objective by epoch, a line a trial; None where no trial reported epochs."""
    known = [trial for trial in contents.trials if len(trial.curve) > 1 or trial.state != "done"]
    known = [trial for trial in known if trial.curve]
    if not any(len(trial.curve) > 1 for trial in known):
        return None
    marks: list[Mark] = []
    for trial in known[:: 1 + len(known) // CURVES]:
        x, y = (np.array(values, dtype=np.float64) for values in zip(*trial.curve, strict=True))
        color = 1 if trial.on_front else 0 if trial.state == "done" else GREY
        marks.append(Line(x, y, color=color, faint=not trial.on_front, dots=len(x) == 1))
    name = next(iter(contents.objectives))
    note = "In colour what came to its end, the best strongest; in grey what was stopped or paused."
    return Chart("curves", f"Learning curves: {name}", "epoch", name, marks, note=note)


def slices(contents: StudyContents) -> list[Chart]:
    """The first objective against each dimension."""
    name = next(iter(contents.objectives))
    charts = []
    for index, axis in enumerate(contents.axes):
        trials = [trial for trial in contents.done if axis.name in trial.point]
        x = np.array([_along(axis, trial.point[axis.name]) for trial in trials], dtype=np.float64)
        _, y = _columns(trials, 0)
        label = f"log10 of {axis.name}" if axis.log else axis.name
        note = ", ".join(f"{place}: {choice}" for place, choice in enumerate(axis.choices))
        charts.append(Chart(f"slice-{index}", axis.name, label, name, [Points(x, y)], note=note))
    return charts


def fronts(contents: StudyContents) -> list[Chart]:
    """The first objective against each other one, with the front and the intervals of its trials."""
    names = list(contents.objectives)
    charts = []
    for index in range(1, len(names)):
        others = [trial for trial in contents.done if not trial.on_front]
        front = sorted(
            (trial for trial in contents.done if trial.on_front),
            key=lambda trial: (trial.values or ())[index],
        )
        marks: list[Mark] = [Points(*_pair(others, index), "dominated", GREY)]
        marks += [mark for trial in front for mark in _intervals(trial, names, index)]
        if len(names) == 2:
            marks.append(Line(*_pair(front, index), "front", 1, dots=True))
        else:
            marks.append(Points(*_pair(front, index), "front", 1))
        note = "Lines through a trial are its 95 % intervals." if any(t.intervals for t in front) else ""
        title = f"{names[0]} against {names[index]}"
        charts.append(Chart(f"front-{index}", title, names[index], names[0], marks, note=note))
    return charts


def remaining_gain(contents: StudyContents) -> str:
    """What the second half of the trials brought, which is about the most that as many more will bring."""
    if len(contents.objectives) != 1 or len(contents.done) < 4:
        return ""
    name, direction = next(iter(contents.objectives.items()))
    values = [(trial.values or (0.0,))[0] for trial in contents.done]
    better = max if direction == "maximize" else min
    half = len(values) // 2
    first, all_of_them = better(values[:half]), better(values)
    gain = abs(all_of_them - first)
    last = values.index(all_of_them)
    return (
        f"The best of the first {half} trials has {name} {first:.5g}, of all {len(values)} "
        f"{all_of_them:.5g}, found {len(values) - 1 - last} trials before the last. Doubling the trials "
        f"brought {gain:.3g}; doubling them again brings about as much at most, since each further record "
        "is rarer and smaller."
    )


def _along(axis: Axis, value: Any) -> float:
    if axis.choices:
        return float(axis.choices.index(value))
    return math.log10(value) if axis.log else float(value)


def _columns(trials: list[Tried], index: int) -> tuple[np.ndarray, np.ndarray]:
    known = [trial for trial in trials if trial.values is not None]
    x = np.array([trial.number for trial in known], dtype=np.float64)
    return x, np.array([(trial.values or ())[index] for trial in known], dtype=np.float64)


def _pair(trials: list[Tried], index: int) -> tuple[np.ndarray, np.ndarray]:
    return _columns(trials, index)[1], _columns(trials, 0)[1]


def _intervals(trial: Tried, names: list[str], index: int) -> list[Line]:
    values = trial.values or ()
    lines = []
    for of, along in ((0, "y"), (index, "x")):
        ends = trial.intervals.get(names[of])
        if ends is not None:
            span, other = np.array(ends, dtype=np.float64), values[index if of == 0 else 0]
            still = np.array([other, other], dtype=np.float64)
            lines.append(Line(still, span, color=1) if along == "y" else Line(span, still, color=1))
    return lines
