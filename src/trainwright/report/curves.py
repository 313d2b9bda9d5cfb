"""Learning curves: one chart a quantity, training and validation in one, with resumes and the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainwright.report.charts import Chart, Line, Mark, Rule
from trainwright.runs.metrics import Series
from trainwright.runs.record import RunRecord

PARTS = ("train", "val", "test")
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
        part, _, rest = key.partition("/")
        groups.setdefault(rest if part in PARTS else key, []).append(key)
    names = sorted(groups, key=lambda name: (name != "loss", name == "lr", len(groups[name]) < 2))
    rules = _rules(record, max((series[-1][0] for series in metrics.values() if series), default=0))
    kept = names[:CHARTS] + (["lr"] if "lr" in names[CHARTS:] else [])
    return [_chart(name, sorted(groups[name], key=_part), metrics, rules) for name in kept]


def _part(key: str) -> int:
    part = key.partition("/")[0]
    return PARTS.index(part) if part in PARTS else 0


def _chart(name: str, keys: Sequence[str], metrics: Series, rules: list[Rule]) -> Chart:
    marks: list[Mark] = [*rules]
    positive, values = True, []
    for key in keys:
        steps, series = (np.array(column, dtype=np.float64) for column in zip(*metrics[key], strict=True))
        values.append(series[np.isfinite(series)])
        label = key.partition("/")[0] if len(keys) > 1 or key != name else ""
        marks.append(_line(steps, series, label, _part(key)))
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


def _title(name: str) -> str:
    target, _, metric = name.rpartition("/")
    words = "Learning rate" if metric == "lr" else (metric[:1].upper() + metric[1:]).replace("_", " ")
    return f"{words} of {target}" if target else words


def _line(steps: np.ndarray, values: np.ndarray, label: str, color: int) -> Line:
    """The series, or the means of equal pieces of it with the range of each where it is long."""
    if len(steps) <= POINTS:
        return Line(steps, values, label, color, dots=len(steps) <= 40)
    starts = np.linspace(0, len(steps), POINTS, endpoint=False).astype(int)
    sizes = np.diff([*starts, len(steps)])
    means, middle = np.add.reduceat(values, starts) / sizes, np.add.reduceat(steps, starts) / sizes
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return Line(middle, means, label, color, low=low, high=high)


def _rules(record: RunRecord, last: int) -> list[Rule]:
    rules = [Rule(step, "resumed") for step in sorted(set(record.resumed_from.values())) if 0 < step <= last]
    best = record.best.get("step")
    return (
        [*rules, Rule(float(best), "best", row=1)]
        if isinstance(best, int | float) and best <= last
        else rules
    )
