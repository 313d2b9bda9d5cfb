"""A run as an object: its state, curves, answers and report. Imports torch only to predict."""

from __future__ import annotations

import base64
import io
import os
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trainwright.runs.difference import final_metrics
from trainwright.runs.directory import RunDirectory
from trainwright.runs.metrics import Series
from trainwright.runs.record import RunRecord, RunState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from trainwright.inference.predictions import Predictions
    from trainwright.inference.predictor import Predictor

_COLUMNS = 3


class Run:
    """One run, finished or not. Everything is read from its directory when it is asked for.

    Args:
        path: The run directory.
        data: What the run was trained on, where that was in memory; `evaluate` needs it again.

    Raises:
        RunError: There is no run here.
    """

    def __init__(self, path: str | os.PathLike[str] | RunDirectory, *, data: Any = None) -> None:
        self.directory = RunDirectory.open(path)
        self._data = data

    def __repr__(self) -> str:
        metrics = "".join(f", {name}={value:.4g}" for name, value in self.results.items())
        return f"<Run {self.id}: {self.state}{metrics}>"

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    @property
    def id(self) -> str:
        """`<name>-<salt>`."""
        return self.directory.id

    @property
    def record(self) -> RunRecord:
        """What `run.json` says now."""
        return self.directory.record()

    @property
    def state(self) -> RunState:
        """`running` only while a process works on it, else `done`, `interrupted` or `failed`."""
        return self.directory.state()

    @property
    def results(self) -> dict[str, float]:
        """Final metrics by `<split>/<metric>`: of the evaluations, else the last logged values."""
        return final_metrics(self.directory)

    def metrics(self) -> Series:
        """Every logged metric as a list of (step, value)."""
        return self.directory.metrics()

    @property
    def curves(self) -> dict[str, tuple[list[int], list[float]]]:
        """Every logged metric as (steps, values), ready to plot."""
        return {
            name: ([step for step, _ in points], [value for _, value in points])
            for name, points in self.metrics().items()
        }

    def plot(self, *names: str) -> Figure:
        """Learning curves, one chart per metric with all its splits.

        Args:
            *names: Metrics without split, such as `loss`; those logged more than once when absent.

        Raises:
            KeyError: A metric was not logged.
        """
        from matplotlib.figure import Figure

        charts = _by_metric(self.curves)
        missing = [name for name in names if name not in charts]
        if missing:
            raise KeyError(f"{missing[0]!r} was not logged; there are {', '.join(charts)}")
        chosen = names or [
            name for name, lines in charts.items() if any(len(steps) > 1 for steps, _ in lines.values())
        ]
        rows = max(1, -(-len(chosen) // _COLUMNS))
        columns = max(1, min(_COLUMNS, len(chosen)))
        figure = Figure(figsize=(4 * columns, 3 * rows), layout="constrained")
        for place, name in enumerate(chosen, start=1):
            axes = figure.add_subplot(rows, columns, place)
            for split, (steps, values) in charts[name].items():
                axes.plot(steps, values, label=split or name, marker="." if len(steps) < 30 else "")
            axes.set(title=name, xlabel="step")
            axes.legend()
        return figure

    @cached_property
    def predictor(self) -> Predictor:
        """The best weights with the run's processors, loaded once."""
        from trainwright.inference.predictor import Predictor

        return Predictor.load(self.path)

    def predict(self, items: Any, *, on_bad: Literal["stop", "skip"] = "stop") -> Predictions:
        """Answers for raw values.

        Args:
            items: A path or an array, or many of them; an array `[N, ...]` counts as N items, a
                DataFrame as its rows; a mapping from column to value where there are several inputs.
            on_bad: `stop` raises where an item cannot be read; `skip` answers the others, and says why in
                the column `error`.

        Returns:
            Columns by name, one value per item.
        """
        return self.predictor.predict(items, on_bad=on_bad)

    def evaluate(self, split: str = "test", data: Any = None) -> dict[str, float]:
        """Scores the best weights; a score on files that the run was trained on is stored in it.

        Args:
            split: Split of the data.
            data: Other data of the same kind: `(X, y)`, a mapping of columns, a DataFrame, a Dataset or
                a path. The run's own when absent.

        Raises:
            DataError: The data have no such split; or they were in memory and have to be given again.
        """
        from trainwright.workflows.evaluating import evaluate

        return evaluate(self.path, split=split, data=data, own_data=self._data)

    def report(self) -> Path:
        """Writes `report.html` anew and gives its path."""
        from trainwright.workflows.reporting import write_report

        return write_report(self.path)

    def _repr_html_(self) -> str:
        """State, final metrics and curves, for notebooks."""
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{value:.4g}</td></tr>" for name, value in self.results.items()
        )
        html = f"<b>{escape(self.id)}</b> {escape(str(self.state))}<table>{rows}</table>"
        if any(len(points) > 1 for points in self.metrics().values()):
            picture = io.BytesIO()
            self.plot().savefig(picture, format="png", dpi=80)
            html += f'<img src="data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}">'
        return html


def _by_metric(
    curves: dict[str, tuple[list[int], list[float]]],
) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """Metric -> split -> curve; `lr` and the like have no split."""
    charts: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for name, curve in curves.items():
        split, _, metric = name.partition("/")
        charts.setdefault(metric or split, {})[split if metric else ""] = curve
    return charts
