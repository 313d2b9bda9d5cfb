"""What there is to know of a target of any number of classes per sample, on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics import ranking
from trainwright.metrics.arrays import Floats, finite_mean
from trainwright.metrics.counts import ClassCounts, averaged
from trainwright.report.category import curves_chart
from trainwright.report.charts import Chart, Heatmap
from trainwright.report.mistakes import SHOWN, Mistake, sample_name, sample_row


@dataclass(frozen=True)
class MemberClass:
    """One class.

    Attributes:
        name: Its name.
        support: Samples that have it.
        predicted: Samples that are told to have it.
        precision: Right among those that are told; 0 where there are none.
        recall: Told among those that have it; 0 where there are none.
        f1: Of both.
        average_precision: Area under precision over recall, NaN where no sample has the class.
        auroc: Area under the ROC curve, NaN where all samples have it or none.
    """

    name: str
    support: int
    predicted: int
    precision: float
    recall: float
    f1: float
    average_precision: float
    auroc: float


@dataclass(frozen=True)
class CategoriesResult:
    """Everything the report says of such a target.

    Attributes:
        name: The target.
        total: Samples with a truth and a prediction.
        left_out: The other samples.
        exact: Samples of which every class is told rightly.
        mean_precision: Mean of the classes' average precision.
        macro_f1: Mean F1 of the classes that occur.
        micro_f1: F1 of all memberships.
        rows: Per class values.
        mistakes: Samples with a wrong class, the largest loss first.
        charts: Precision and recall.
        heatmaps: None.
    """

    name: str
    total: int
    left_out: int
    exact: int
    mean_precision: float
    macro_f1: float
    micro_f1: float
    rows: list[MemberClass]
    mistakes: list[Mistake]
    charts: list[Chart]
    heatmaps: tuple[Heatmap, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        value = {"type": "categories", "samples": self.total, **vars(self)}
        for drawn in ("charts", "heatmaps", "total", "name"):
            del value[drawn]
        value["rows"] = [vars(row) for row in self.rows]
        value["mistakes"] = [mistake.as_json() for mistake in self.mistakes]
        return value


def analyse_categories(
    target: str, columns: dict[str, Any], classes: Sequence[str], *, stem: str, seed: int = 0
) -> list[CategoriesResult]:
    """Computes everything from the columns of `predictions.parquet`.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        classes: Names of the classes, in the order of their ids.
        stem: Start of the plots' names.
        seed: Not used: nothing is resampled.
    """
    probabilities = np.asarray(columns[f"{target}_probabilities"], dtype=np.float64)
    truths = columns.get(target, [None] * len(probabilities))
    known = np.array([truth is not None for truth in truths]) & ~np.isnan(probabilities).any(axis=1)
    kept = np.flatnonzero(known)
    true = _members([truths[place] for place in kept], classes)
    told = probabilities[kept] > 0.5
    counts = ClassCounts((told & true).sum(axis=0), told.sum(axis=0), true.sum(axis=0))
    ranked = [
        ranking.rank_positives(column, column[own])
        for column, own in zip(probabilities[kept].T, true.T, strict=True)
    ]
    areas = np.array([ranking.average_precision(one) for one in ranked])
    wrong = kept[(told != true).any(axis=1)]
    return [
        CategoriesResult(
            name=target,
            total=len(kept),
            left_out=len(known) - len(kept),
            exact=len(kept) - len(wrong),
            mean_precision=finite_mean(areas),
            macro_f1=averaged(counts, "f1", "macro"),
            micro_f1=averaged(counts, "f1", "micro"),
            rows=_rows(classes, counts, areas, ranked),
            mistakes=_mistakes(target, columns, wrong),
            charts=[curves_chart(ranked, areas, classes, f"{stem}-precision-recall")] if len(kept) else [],
        )
    ]


def _members(truths: Sequence[Sequence[str]], classes: Sequence[str]) -> np.ndarray:
    places = {name: place for place, name in enumerate(classes)}
    found = np.zeros((len(truths), len(classes)), dtype=bool)
    for row, names in enumerate(truths):
        found[row, [places[name] for name in names]] = True
    return found


def _rows(
    classes: Sequence[str], counts: ClassCounts, areas: Floats, ranked: Sequence[ranking.Ranked]
) -> list[MemberClass]:
    return [
        MemberClass(
            name=name,
            support=int(counts.support[place]),
            predicted=int(counts.predicted[place]),
            precision=float(counts.precision[place]),
            recall=float(counts.recall[place]),
            f1=float(counts.f1[place]),
            average_precision=float(areas[place]),
            auroc=ranking.auroc(ranked[place]),
        )
        for place, name in enumerate(classes)
    ]


def _mistakes(target: str, columns: dict[str, Any], wrong: np.ndarray) -> list[Mistake]:
    loss = np.asarray(columns.get(f"{target}_loss", np.full(len(columns["sample"]), np.nan)))
    # A NaN loss is the worst of all.
    rank = np.where(np.isnan(loss[wrong]), np.inf, loss[wrong])
    return [
        Mistake(
            sample=sample_name(columns, place),
            row=sample_row(columns, place),
            true=", ".join(columns[target][place]) or "none",
            predicted=", ".join(columns[f"{target}_predicted"][place]) or "none",
            loss=float(loss[place]),
        )
        for place in wrong[np.argsort(-rank, kind="stable")[:SHOWN]].tolist()
    ]
