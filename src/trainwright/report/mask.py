"""What there is to know of maps of classes on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics import bootstrap
from trainwright.metrics.arrays import Floats, Ints
from trainwright.metrics.bootstrap import Interval
from trainwright.metrics.class_maps import ratios
from trainwright.metrics.psnr import worst_pictures
from trainwright.metrics.sparse_confusion import Confusions
from trainwright.report.charts import Bars, Chart, Heatmap
from trainwright.report.confusion import CLOSEUP, READABLE
from trainwright.report.mistakes import Mistake, poor_picture

STRIP = 3
"""Pictures of a strip: what was seen, under the true classes, and under the predicted ones."""


@dataclass(frozen=True)
class MaskRow:
    """One class over all labelled pixels of the split.

    Attributes:
        name: The class.
        true: Pixels that have it.
        predicted: Labelled pixels that got it.
        iou: Common area through united area, NaN where neither truth nor prediction shows it.
        interval: Of the IoU.
        precision: Share of the predicted pixels that have it.
        recall: Share of its pixels that got it.
        taken_for: Class that its pixels were most often given instead, empty for none.
    """

    name: str
    true: int
    predicted: int
    iou: float
    interval: Interval
    precision: float
    recall: float
    taken_for: str


@dataclass(frozen=True)
class MaskResult:
    """Everything the report says of a target that is a class for every pixel.

    Attributes:
        name: The target.
        total: Pictures with a labelled pixel.
        pixels: Labelled pixels of the processed pictures; void is left out.
        miou: Mean IoU of the classes that occur, over the pixels of the whole split, with its interval.
        accuracy: Share of the labelled pixels whose class is right, with its interval.
        rows: The classes.
        mistakes: The pictures of the smallest mean IoU, which `predicted` is.
        charts: How many pictures have which.
        heatmaps: Which class was taken for which, in pixels.
    """

    name: str
    total: int
    pixels: int
    miou: float
    miou_interval: Interval
    accuracy: float
    accuracy_interval: Interval
    rows: list[MaskRow]
    mistakes: list[Mistake]
    charts: list[Chart]
    heatmaps: list[Heatmap]

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        kept = ("pixels", "miou", "miou_interval", "accuracy", "accuracy_interval")
        return {
            "type": "mask",
            "samples": self.total,
            **{name: getattr(self, name) for name in kept},
            "classes": {row.name: vars(row) for row in self.rows},
            "worst": [{"sample": m.sample, "row": m.row, "miou": m.predicted} for m in self.mistakes],
        }


def analyse_mask(
    target: str, columns: dict[str, Any], classes: Sequence[str] = (), *, stem: str, seed: int = 0
) -> list[MaskResult]:
    """Computes everything from the columns of `predictions.parquet`.

    Intervals are of resampled pictures, since the pixels of one picture are alike.

    Args:
        target: Name of the target.
        columns: All columns of the split; without `T_confusion` there is nothing to tell.
        classes: Names of the classes in the order of their ids.
        stem: Start of the plots' names.
        seed: Address of the bootstrap's resamples.
    """
    size, found = len(classes), columns.get(f"{target}_confusion")
    if found is None or not size or not len(found):
        return []
    pairs = Confusions.read(found, size)
    right, true, predicted = pairs.per_class()
    places = np.flatnonzero(true.any(axis=1))
    if not len(places):
        return []
    quality = np.asarray(columns[f"{target}_miou"], dtype=np.float64)[places]
    counts = pairs.whole()
    overlaps, accuracies = _resampled(right[places], (true + predicted - right)[places], true[places], seed)
    hits = counts.diagonal()
    overlap = ratios(hits, counts.sum(axis=0) + counts.sum(axis=1) - hits)
    return [
        MaskResult(
            name=target,
            total=len(places),
            pixels=int(counts.sum()),
            miou=float(np.nanmean(overlap)),
            miou_interval=bootstrap.interval(_means(overlaps)),
            accuracy=float(hits.sum() / counts.sum()),
            accuracy_interval=bootstrap.interval(accuracies),
            rows=_rows(counts, overlap, overlaps, classes),
            mistakes=[
                poor_picture(target, columns, int(places[place]), "miou", STRIP)
                for place in worst_pictures(quality)
            ],
            charts=[_chart(quality, stem)],
            heatmaps=[_heatmap(counts, classes, f"{stem}-confusion")],
        )
    ]


def _resampled(right: Ints, union: Ints, true: Ints, seed: int) -> tuple[Floats, Floats]:
    """IoU per class `[R, C]` and accuracy `[R]` of resampled pictures, from pixels per class `[N, C]`."""
    parts = np.concatenate([right, union, true.sum(axis=1, keepdims=True)], axis=1).astype(np.float64)
    means = bootstrap.resample_means(parts, seed=seed)
    size = right.shape[1]
    overlaps = ratios(means[:, :size], means[:, size:-1])
    return overlaps, means[:, :size].sum(axis=1) / means[:, -1]


def _means(values: Floats) -> Floats:
    """Mean of each row `[R]` over what is not NaN."""
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def _rows(counts: Ints, overlap: Floats, overlaps: Floats, classes: Sequence[str]) -> list[MaskRow]:
    hits, predicted, true = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
    precision, recall = ratios(hits, predicted), ratios(hits, true)
    wrong = _wrong(counts)
    return [
        MaskRow(
            name=name,
            true=int(true[place]),
            predicted=int(predicted[place]),
            iou=float(overlap[place]),
            interval=bootstrap.interval(overlaps[:, place]),
            precision=float(precision[place]),
            recall=float(recall[place]),
            taken_for=classes[int(wrong[place].argmax())] if wrong[place].any() else "",
        )
        for place, name in enumerate(classes)
    ]


def _wrong(counts: Ints) -> Ints:
    wrong: Ints = counts.copy()
    np.fill_diagonal(wrong, 0)
    return wrong


def _heatmap(counts: Ints, classes: Sequence[str], name: str) -> Heatmap:
    """The whole matrix where it can be read, else the classes that take part in most mistakes."""
    totals = counts.sum(axis=1)
    if len(classes) <= READABLE:
        return Heatmap(name, "Confusion matrix", counts, tuple(classes), totals)
    wrong = _wrong(counts)
    chosen = np.sort(np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:CLOSEUP])
    return Heatmap(
        name,
        "The most confused classes",
        counts[np.ix_(chosen, chosen)],
        tuple(classes[place] for place in chosen),
        totals[chosen],
        f"The {len(chosen)} of {len(classes):,} classes that take part in most mistakes. "
        "Shades are shares of all pixels of a class.",
    )


def _chart(quality: Floats, stem: str) -> Chart:
    bins = min(40, max(8, int(2 * len(quality) ** 0.5)))
    heights, edges = np.histogram(quality, bins=bins, range=(0.0, 1.0))
    return Chart(
        f"{stem}-miou",
        "Mean IoU of the pictures",
        "mean IoU of a picture",
        "pictures",
        [Bars(edges, heights.astype(np.float64))],
        x_range=(0.0, 1.0),
    )
