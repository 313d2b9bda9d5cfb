"""What there is to know of a number that is predicted as a distribution, on one split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trainwright.metrics import bootstrap
from trainwright.metrics.arrays import Floats, Ints
from trainwright.metrics.bins import cumulative
from trainwright.metrics.bootstrap import Interval
from trainwright.report.charts import Bars, Chart, Line, Rule
from trainwright.report.mistakes import Mistake, sample_name, sample_row
from trainwright.report.number import SHOWN_ROWS, NumberResult, analyse_number

_BARS = 20
_TYPICAL = (0.1, 0.5, 0.9)
_WORST = 3
_TAIL = 1e-3
_UNKNOWN = Interval(float("nan"), float("nan"))


@dataclass(frozen=True)
class ScoredMistake(Mistake):
    """A sample, and how far its distribution lies from the true number.

    Attributes:
        crps: Continuous ranked probability score, in the number's unit.
    """

    crps: float = float("nan")


@dataclass(frozen=True)
class DistributionResult(NumberResult):
    """What the report says of a number, and of the distributions around it.

    Attributes:
        crps: Mean continuous ranked probability score, in the number's unit; NaN where it was not kept.
        crps_interval: Of it.
        shapes: Some distributions: typical ones, and the worst by their score.
    """

    crps: float = float("nan")
    crps_interval: Interval = _UNKNOWN
    shapes: tuple[Chart, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        value = super().as_json() | {"type": "distribution"}
        del value["shapes"]
        return value


def analyse_distribution(
    target: str,
    columns: dict[str, Any],
    classes: Sequence[str] = (),
    *,
    stem: str,
    seed: int = 0,
    edges: Sequence[float] = (),
) -> list[NumberResult]:
    """What is said of a number, and whether the distributions are sharp and their widths honest.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        classes: Not used: a number has none.
        stem: Start of the plots' names.
        seed: Address of the bootstrap's resamples.
        edges: Of the bins; without them no distribution is drawn.
    """
    return [
        _with_distributions(result, target, columns, stem, seed, np.asarray(edges, dtype=np.float64))
        for result in analyse_number(target, columns, classes, stem=stem, seed=seed)
    ]


def _with_distributions(
    result: NumberResult, target: str, columns: dict[str, Any], stem: str, seed: int, edges: Floats
) -> NumberResult:
    below = _known(columns, f"{target}_below")
    if not len(below):
        return result
    charts = [*result.charts, _histogram(below, stem)]
    crps = np.asarray(columns.get(f"{target}_crps", ()), dtype=np.float64)
    scored = np.flatnonzero(np.isfinite(crps))
    if not len(scored):
        return replace(result, charts=charts)
    ranked = scored[np.argsort(-crps[scored], kind="stable")]
    shapes = tuple(_shapes(target, columns, ranked, stem, edges))
    return DistributionResult(
        **vars(result)
        | {
            "charts": [*charts, *shapes],
            "mistakes": [_mistake(target, columns, place) for place in ranked[:SHOWN_ROWS].tolist()],
        },
        crps=float(crps[scored].mean()),
        crps_interval=bootstrap.interval(bootstrap.resample_means(crps[scored, None], seed=seed)[:, 0]),
        shapes=shapes,
    )


def _known(columns: dict[str, Any], name: str) -> Floats:
    values = np.asarray(columns.get(name, ()), dtype=np.float64)
    return values[np.isfinite(values)]


def _mistake(target: str, columns: dict[str, Any], place: int) -> ScoredMistake:
    loss = columns.get(f"{target}_loss")
    return ScoredMistake(
        sample=sample_name(columns, place),
        row=sample_row(columns, place),
        true=float(columns[target][place]),
        predicted=float(columns[f"{target}_predicted"][place]),
        loss=float("nan") if loss is None else float(loss[place]),
        crps=float(columns[f"{target}_crps"][place]),
    )


def _histogram(below: Floats, stem: str) -> Chart:
    heights, edges = np.histogram(below, bins=_BARS, range=(0.0, 1.0))
    return Chart(
        f"{stem}-pit",
        "Probability integral transform",
        "probability given to numbers below the true one",
        "samples",
        [Bars(edges, heights.astype(np.float64)), Rule(len(below) / _BARS, axis="y")],
        x_range=(0.0, 1.0),
        note="Even bars: the distributions are right. High at both ends: they are too narrow. High in the "
        "middle: too wide. Higher on one side: shifted.",
    )


def _shapes(target: str, columns: dict[str, Any], ranked: Ints, stem: str, edges: Floats) -> Iterator[Chart]:
    """Distributions at some places of the ranking, and the worst ones; each sample once.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        ranked: Places of the samples in the columns, the worst first.
        stem: Start of the plots' names.
        edges: Of the bins.
    """
    stored = columns.get(f"{target}_distribution")
    if stored is None or np.shape(stored)[1:] != (len(edges) - 1,):
        return
    chosen: dict[int, str] = {}
    for share in _TYPICAL:
        place = ranked[round((1 - share) * (len(ranked) - 1))]
        chosen.setdefault(int(place), f"CRPS below that of {1 - share:.0%} of the samples")
    for rank, place in enumerate(ranked[:_WORST].tolist(), start=1):
        chosen.setdefault(place, f"The {_ordinal(rank)} CRPS")
    for number, (place, title) in enumerate(chosen.items(), start=1):
        row = np.asarray(stored[place], dtype=np.float64)
        true, predicted = float(columns[target][place]), float(columns[f"{target}_predicted"][place])
        score = float(columns[f"{target}_crps"][place])
        note = f"{sample_name(columns, place)}: CRPS {score:.3g}."
        yield _shape(f"{stem}-pdf-{number}", title, row, edges, (true, predicted), target, note)


def _ordinal(rank: int) -> str:
    return {1: "largest", 2: "second largest", 3: "third largest"}[rank]


def _shape(
    name: str, title: str, row: Floats, edges: Floats, numbers: tuple[float, float], target: str, note: str
) -> Chart:
    """One density as a staircase, where it is not negligible, with the truth and the point estimate."""
    heights = row / row.sum() / np.diff(edges)
    at = cumulative(row[None])[0]
    first, last = np.searchsorted(at, [_TAIL, 1 - _TAIL])
    span = (edges[max(0, first - 1)], edges[min(last, len(edges) - 1)], *numbers)
    air = 0.05 * (max(span) - min(span))
    x, y = np.repeat(edges, 2)[1:-1], np.repeat(heights, 2)
    return Chart(
        name,
        title,
        target,
        "probability density",
        [
            Line(x, y, low=np.zeros_like(y), high=y),
            Rule(numbers[0], "true"),
            Rule(numbers[1], "predicted", row=1),
        ],
        x_range=(float(min(span) - air), float(max(span) + air)),
        note=note,
    )
