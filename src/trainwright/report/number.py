"""What there is to know of a number target's predictions on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics import bootstrap
from trainwright.metrics.arrays import Floats
from trainwright.metrics.bootstrap import Interval
from trainwright.metrics.r2 import r2
from trainwright.report.charts import GREY, Bars, Chart, Heatmap, Line, Mark, Points, Rule
from trainwright.report.mistakes import Mistake, sample_name, sample_row

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
SHOWN_POINTS = 3000
SHOWN_ROWS = 24


@dataclass(frozen=True)
class NumberResult:
    """Everything the report says of one value of a number target.

    Attributes:
        name: The target, with the place of the value where it has several.
        total: Samples with a finite truth and prediction.
        left_out: The other samples.
        mae: Mean absolute error, with its interval.
        rmse: Root of the mean squared error.
        r2: Share of the variance that is explained.
        bias: Mean of predicted minus true.
        quantiles: Share of the samples -> absolute error that they do not exceed.
        mistakes: Samples of the largest absolute error.
        charts: Predicted against true, residuals, error quantiles.
        heatmaps: None.
    """

    name: str
    total: int
    left_out: int
    mae: float
    mae_interval: Interval
    rmse: float
    rmse_interval: Interval
    r2: float
    r2_interval: Interval
    bias: float
    bias_interval: Interval
    quantiles: dict[float, float]
    mistakes: list[Mistake]
    charts: list[Chart]
    heatmaps: tuple[Heatmap, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        value = {"type": "number", "samples": self.total, **vars(self)}
        del value["charts"], value["heatmaps"], value["mistakes"], value["total"], value["name"]
        value["quantiles"] = {str(share): error for share, error in self.quantiles.items()}
        value["worst"] = [row.as_json() for row in self.mistakes]
        return value


def analyse_number(
    target: str, columns: dict[str, Any], classes: Sequence[str] = (), *, stem: str, seed: int = 0
) -> list[NumberResult]:
    """Computes everything from the columns of `predictions.parquet`: a result per value of the target.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        classes: Not used: a number has none.
        stem: Start of the plots' names.
        seed: Address of the bootstrap's resamples.
    """
    predicted = _matrix(columns[f"{target}_predicted"])
    true = _matrix(columns[target]) if target in columns else np.full_like(predicted, np.nan)
    several = predicted.shape[1] > 1
    return [
        _analyse(
            f"{target}[{place}]" if several else target,
            columns,
            true[:, place],
            predicted[:, place],
            columns.get(f"{target}_loss"),
            f"{stem}-{place}" if several else stem,
            seed,
        )
        for place in range(predicted.shape[1])
    ]


def _matrix(values: Any) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


def _analyse(
    name: str,
    columns: dict[str, Any],
    true: Floats,
    predicted: Floats,
    loss: Floats | None,
    stem: str,
    seed: int,
) -> NumberResult:
    known = np.flatnonzero(np.isfinite(true) & np.isfinite(predicted))
    y, error = true[known], predicted[known] - true[known]
    # Deviations from the mean, not raw squares, keep their digits for values far from zero.
    centre = y.mean() if len(y) else 0.0
    parts = np.stack([np.abs(error), error**2, error, y - centre, (y - centre) ** 2], axis=1)
    means = bootstrap.resample_means(parts, seed=seed)
    return NumberResult(
        name=name,
        total=len(y),
        left_out=len(true) - len(y),
        mae=_mean(parts[:, 0]),
        mae_interval=bootstrap.interval(means[:, 0]),
        rmse=_mean(parts[:, 1]) ** 0.5,
        rmse_interval=bootstrap.interval(np.sqrt(means[:, 1])),
        r2=r2(predicted[known], y)["r2"],
        r2_interval=bootstrap.interval(_r2_of_means(means)),
        bias=_mean(error),
        bias_interval=bootstrap.interval(means[:, 2]),
        quantiles={q: float(np.quantile(np.abs(error), q)) for q in QUANTILES} if len(y) else {},
        mistakes=_worst(columns, true, predicted, loss, known),
        charts=_charts(y, predicted[known], stem) if len(y) else [],
    )


def _r2_of_means(means: Floats) -> Floats:
    spread = means[:, 4] - means[:, 3] ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, 1 - means[:, 1] / spread, np.nan)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _worst(
    columns: dict[str, Any], true: Floats, predicted: Floats, loss: Floats | None, known: np.ndarray
) -> list[Mistake]:
    order = known[np.argsort(-np.abs(predicted[known] - true[known]), kind="stable")[:SHOWN_ROWS]]
    return [
        Mistake(
            sample=sample_name(columns, place),
            row=sample_row(columns, place),
            true=float(true[place]),
            predicted=float(predicted[place]),
            loss=float("nan") if loss is None else float(loss[place]),
        )
        for place in order.tolist()
    ]


def _charts(true: Floats, predicted: Floats, stem: str) -> list[Chart]:
    error = predicted - true
    # Every k-th in the order of the truth: the same picture each time, and the extremes stay in.
    shown = np.argsort(true, kind="stable")[:: max(1, len(true) // SHOWN_POINTS)]
    note = f"{len(shown):,} of {len(true):,} samples are drawn." if len(shown) < len(true) else ""
    low, high = min(true.min(), predicted.min()), max(true.max(), predicted.max())
    air = 0.03 * (high - low) or 0.5
    span = (float(low - air), float(high + air))
    ends = np.array(span)
    scatter: list[Mark] = [
        Points(true[shown], predicted[shown], "samples"),
        Line(ends, ends, "perfect", GREY, dashed=True),
    ]
    heights, edges = np.histogram(error, bins=min(40, max(12, int(2 * len(error) ** 0.5))))
    shares = np.linspace(0, 1, 201)
    return [
        Chart(
            f"{stem}-predicted-true",
            "Predicted against true",
            "true",
            "predicted",
            scatter,
            x_range=span,
            y_range=span,
            square=True,
            note=note,
        ),
        Chart(
            f"{stem}-residuals",
            "Residuals",
            "predicted − true",
            "samples",
            [Bars(edges, heights.astype(np.float64)), Rule(0.0)],
        ),
        Chart(
            f"{stem}-residuals-true",
            "Residuals by true value",
            "true",
            "predicted − true",
            [Points(true[shown], error[shown]), Rule(0.0, axis="y")],
        ),
        Chart(
            f"{stem}-error-quantiles",
            "Error quantiles",
            "share of the samples",
            "absolute error, at most",
            [Line(shares, np.quantile(np.abs(error), shares))],
            x_range=(0.0, 1.0),
        ),
    ]
