"""Learning curves: one chart a quantity, training and validation in one, with resumes and the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trainwright.report.charts import GREY, Chart, Line, Mark, Rule
from trainwright.report.metric_titles import metric_title
from trainwright.runs.metrics import Series
from trainwright.runs.record import RunRecord

PARTS = ("train", "val", "test", "step")
POINTS = 300
CHARTS = 12
# Orders of magnitude above which a loss is read better on a logarithmic axis.
LOG_RANGE = 50.0


def learning_curves(metrics: Series, record: RunRecord) -> list[Chart]:
    """A chart per quantity: the loss first, then what has a validation value, then the rest.

    Args:
        metrics: Metric -> list of (step, value).
        record: Tells the resumes and the best step.
    """
    groups: dict[str, list[str]] = {}
    for key in metrics:
        if key.startswith(("saved/", "grad/")):
            continue  # points of another curve, and curves of one chart
        part, _, rest = key.partition("/")
        groups.setdefault(rest if part in PARTS else key, []).append(key)
    names = sorted(groups, key=lambda name: (name != "loss", name == "lr", len(groups[name]) < 2))
    rules = _rules(record, max((series[-1][0] for series in metrics.values() if series), default=0))
    groups = {name: _without_repeats(keys, metrics) for name, keys in groups.items()}
    kept = names[:CHARTS] + (["lr"] if "lr" in names[CHARTS:] else [])
    charts = [_chart(name, sorted(groups[name], key=_draw_order), metrics, rules) for name in kept]
    return charts + _gradients(metrics, rules)


def _without_repeats(keys: Sequence[str], metrics: Series) -> list[str]:
    """Leaves out `step/x` where it tells no more than the epochs' means, and what it tells better."""
    fine = [key for key in keys if key.startswith("step/")]
    coarse = [key for key in keys if key not in fine]
    if not fine or not coarse:
        return list(keys)
    if len(metrics[fine[0]]) < 2 * max(len(metrics[key]) for key in coarse):
        return coarse
    # A bare key such as `lr` is the same series with fewer points.
    return fine + [key for key in coarse if "/" in key]


def _part(key: str) -> int:
    part = key.partition("/")[0]
    return PARTS.index(part) % 3 if part in PARTS else 0


def _draw_order(key: str) -> int:
    return -1 if key.startswith("step/") else _part(key)


def _chart(name: str, keys: Sequence[str], metrics: Series, rules: list[Rule]) -> Chart:
    marks: list[Mark] = [*rules]
    values = []
    alone = len(keys) == 1 and keys[0] in (name, f"step/{name}")
    for key in keys:
        steps, series = (np.array(column, dtype=np.float64) for column in zip(*metrics[key], strict=True))
        values.append(series[np.isfinite(series)])
        label = "" if alone else key.partition("/")[0]
        line = curve_line(steps, series, label, _part(key))
        # Beside the epochs' means the single steps are background.
        marks.append(replace(line, color=GREY, faint=True, dots=False) if label == "step" else line)
    whole = np.concatenate(values)
    positive = whole.size > 0 and whole.min() > 0
    return Chart(
        name,
        _title(name),
        "step",
        name.rpartition("/")[2],
        marks,
        y_log=name.endswith("loss") and positive and whole.max() / whole.min() > LOG_RANGE,
    )


def _gradients(metrics: Series, rules: list[Rule]) -> list[Chart]:
    """Norms of the gradients: of each phase, with its groups of layers in the background."""
    marks: list[Mark] = [*rules]
    totals = [key for key in metrics if key.startswith("grad/") and key.endswith("/total")]
    groups = [key for key in metrics if key.startswith("grad/") and key not in totals]
    for key in [*groups, *totals]:
        steps, values = (np.array(column, dtype=np.float64) for column in zip(*metrics[key], strict=True))
        values = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        if np.isnan(values).all():
            continue
        if key in totals:
            label = "all layers" if len(totals) == 1 else key.split("/")[1]
            marks.append(curve_line(steps, values, label, totals.index(key)))
        else:
            marks.append(Line(steps, values, color=GREY, faint=True))
    if len(marks) == len(rules):
        return []
    return [Chart("gradients", "Gradient norm", "step", "norm, by layers in grey", marks, y_log=True)]


def _title(name: str) -> str:
    target, _, metric = name.rpartition("/")
    words = metric_title(metric)
    return f"{words} of {target}" if target else words


def curve_line(steps: np.ndarray, values: np.ndarray, label: str, color: int) -> Line:
    """The series, or the means of equal pieces of it with the range of each where it is long."""
    if len(steps) <= POINTS:
        return Line(steps, values, label, color, dots=len(steps) <= 40)
    starts = np.linspace(0, len(steps), POINTS, endpoint=False).astype(int)
    sizes = np.diff([*starts, len(steps)])
    means, middle = np.add.reduceat(values, starts) / sizes, np.add.reduceat(steps, starts) / sizes
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return Line(middle, means, label, color, low=low, high=high)


def _rules(record: RunRecord, last: int) -> list[Rule]:
    continued = {item["from_step"] for item in record.merged}
    resumed = set(record.resumed_from.values()) - continued
    rules = [Rule(step, "resumed") for step in sorted(resumed) if 0 < step <= last]
    rules += [Rule(step, "continued") for step in sorted(continued) if 0 < step <= last]
    best = record.best.get("step")
    return (
        [*rules, Rule(float(best), "best", row=1)]
        if isinstance(best, int | float) and best <= last
        else rules
    )
