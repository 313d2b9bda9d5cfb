"""What there is to know of a category target's predictions on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics import bootstrap, ranking
from trainwright.metrics.arrays import Floats, Ints, finite_mean
from trainwright.metrics.bootstrap import Interval
from trainwright.metrics.classification_table import ClassRow, table_of_ids
from trainwright.metrics.counts import averaged, class_counts
from trainwright.metrics.reliability import Reliability, reliability
from trainwright.report.charts import GREY, Bars, Chart, Heatmap, Line, Mark
from trainwright.report.confusion import ConfusedPair, confused_pairs, confusion_heatmaps
from trainwright.report.mistakes import Mistake, worst_mistakes
from trainwright.report.precision_recall import precision_recall_chart

CURVE_POINTS = 101
# A bar of fewer samples says little about calibration and is drawn pale.
FEW_IN_BIN = 10


@dataclass(frozen=True)
class CategoryResult:
    """Everything the report says of a category target.

    Attributes:
        name: The target.
        classes: Class names.
        total: Samples with a known truth.
        unknown: Samples without one, which take no part.
        right: Samples predicted rightly.
        accuracy: `right / total`, with its interval.
        macro_f1: Mean F1 over classes, with its interval.
        auroc: Mean area under the ROC curve, NaN without probabilities of all classes.
        average_precision: The same for precision and recall, per class `[C]`.
        rows: Per class values.
        calibration: Stated against found accuracy.
        pairs: Most frequent mistakes.
        mistakes: Worst mistakes.
        heatmaps: Confusion matrices.
        charts: Calibration, precision-recall.
    """

    name: str
    classes: Sequence[str]
    total: int
    unknown: int
    right: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    auroc: float
    average_precision: Floats
    rows: list[ClassRow]
    calibration: Reliability
    pairs: list[ConfusedPair]
    mistakes: list[Mistake]
    heatmaps: list[Heatmap]
    charts: list[Chart]

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        return {
            "type": "category",
            "samples": self.total,
            "unlabelled": self.unknown,
            "right": self.right,
            "accuracy": self.accuracy,
            "accuracy_interval": self.accuracy_interval,
            "macro_f1": self.macro_f1,
            "macro_f1_interval": self.macro_f1_interval,
            "auroc": self.auroc,
            "average_precision": finite_mean(self.average_precision),
            "classes": [
                {**vars(row), "average_precision": float(area)}
                for row, area in zip(self.rows, self.average_precision, strict=True)
            ],
            "calibration": vars(self.calibration),
            "confused_pairs": [vars(pair) for pair in self.pairs],
            "mistakes": [mistake.as_json() for mistake in self.mistakes],
            "confusion": [
                {"classes": heatmap.labels, "counts": heatmap.counts}
                for heatmap in self.heatmaps
                if len(heatmap.labels) <= 100
            ],
        }


def analyse_category(
    target: str, columns: dict[str, Any], classes: Sequence[str], *, stem: str, seed: int = 0
) -> list[CategoryResult]:
    """Computes everything from the columns of `predictions.parquet`: one result.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        classes: Class names in the order of their ids.
        stem: Start of the plots' names.
        seed: Address of the bootstrap's resamples.
    """
    ids = {name: index for index, name in enumerate(classes)}
    true, predicted = _ids(columns.get(target), ids), _ids(columns[f"{target}_predicted"], ids)
    if not len(true):
        true = np.full(len(predicted), -1)
    known = np.flatnonzero(true >= 0)
    true, predicted = true[known], predicted[known]
    right = predicted == true
    counts, drawn = (
        class_counts(predicted, true, len(classes)),
        bootstrap.resample_confusion(predicted, true, len(classes), seed=seed),
    )
    confidence = np.asarray(columns[f"{target}_probability"], dtype=np.float64)[known]
    ranked = _ranked(columns.get(f"{target}_probabilities"), known, true, len(classes))
    areas = np.array([ranking.average_precision(one) for one in ranked] or [np.nan] * len(classes))
    calibration = reliability(confidence, right)
    result = CategoryResult(
        name=target,
        classes=classes,
        total=len(true),
        unknown=len(columns[f"{target}_predicted"]) - len(true),
        right=int(right.sum()),
        accuracy=float(right.mean()) if len(right) else float("nan"),
        accuracy_interval=bootstrap.share(int(right.sum()), len(right), seed=seed),
        macro_f1=averaged(counts, "f1", "macro"),
        macro_f1_interval=bootstrap.interval(bootstrap.macro(drawn.f1, drawn)),
        auroc=finite_mean(np.array([ranking.auroc(one) for one in ranked])),
        average_precision=areas,
        rows=table_of_ids(predicted, true, classes, seed=seed),
        calibration=calibration,
        pairs=confused_pairs(predicted, true, classes),
        mistakes=worst_mistakes(target, columns, known[~right]),
        heatmaps=confusion_heatmaps(predicted, true, classes, f"{stem}-confusion") if len(true) else [],
        charts=[
            *([_calibration_chart(calibration, f"{stem}-calibration")] if len(true) else []),
            *([curves_chart(ranked, areas, classes, f"{stem}-precision-recall")] if ranked else []),
        ],
    )
    return [result]


def _ids(names: Any, ids: dict[str, int]) -> Ints:
    return np.array([ids.get(name, -1) for name in ([] if names is None else names)], dtype=np.int64)


def _ranked(probabilities: Any, known: Ints, true: Ints, size: int) -> list[ranking.Ranked]:
    """Places per class, or nothing where the probabilities of all classes were not kept."""
    if (
        probabilities is None
        or not len(true)
        or np.ndim(probabilities) != 2
        or probabilities.shape[1] != size
    ):
        return []
    return ranking.rank_classes(probabilities[known], true)


def _calibration_chart(calibration: Reliability, name: str) -> Chart:
    tips = [
        f"{count:,} samples: {stated:.1%} stated, {found:.1%} right"
        for count, stated, found in zip(
            calibration.counts, calibration.confidence, calibration.accuracy, strict=True
        )
    ]
    whole = np.array([0.0, 1.0])
    enough = calibration.counts >= FEW_IN_BIN
    marks: list[Mark] = [
        Bars(
            calibration.edges, np.where(enough, calibration.accuracy, np.nan), "share that is right", 0, tips
        ),
        Line(whole, whole, "perfectly calibrated", GREY, dashed=True),
    ]
    if not enough[calibration.counts > 0].all():
        few = np.where(enough, np.nan, calibration.accuracy)
        marks.insert(1, Bars(calibration.edges, few, f"of fewer than {FEW_IN_BIN} samples", GREY, tips))
    return Chart(
        name,
        "Calibration",
        "stated probability",
        "share that is right",
        marks,
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        square=True,
        note=f"Expected calibration error {calibration.error:.3f}, largest gap of a bin "
        f"{calibration.largest:.3f}. Bars below the line: the model is surer than it should be.",
    )


def curves_chart(ranked: list[ranking.Ranked], areas: Floats, classes: Sequence[str], name: str) -> Chart:
    """Precision over recall of each class against the rest."""
    grid = np.linspace(0, 1, CURVE_POINTS)
    curves = [_precision_at(one, grid) for one in ranked]
    return precision_recall_chart(grid, curves, areas, classes, name, "Each class against the rest")


def _precision_at(ranked: ranking.Ranked, grid: Floats) -> Floats:
    """Best precision that is reached at each recall or beyond it."""
    if not len(ranked.scores):
        return np.full(len(grid), np.nan)
    precision, recall = ranking.precision_recall(ranked)
    # Ascending by score is descending by recall: the best so far is the best at this recall or beyond.
    best, rising = np.maximum.accumulate(precision)[::-1], recall[::-1]
    return best[np.searchsorted(rising, grid - 1e-12)]
