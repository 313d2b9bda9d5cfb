"""What there is to know of found objects (boxes, instances, points) on one split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics.arrays import Floats, Ints, finite_mean
from trainwright.metrics.detection.errors import KINDS, error_kinds
from trainwright.metrics.detection.scenes import Scene, matched
from trainwright.report.charts import Chart, Heatmap
from trainwright.report.confusion import confusion_heatmaps
from trainwright.report.mistakes import SHOWN, Mistake, sample_name, sample_row
from trainwright.report.precision_recall import precision_recall_chart

OVERLAP = 0.5
_RULES = {
    "boxes": "an overlap of the boxes",
    "masks": "an overlap of the masks",
    "volumes": "an overlap of the volumes",
    "points": "a similarity of the points (OKS)",
}


@dataclass(frozen=True)
class FoundClass:
    """One class.

    Attributes:
        name: Its name.
        true: Annotated objects.
        found: Found objects above the score threshold.
        right: Those of them that stand for an annotated one.
        average_precision: Area under precision over recall at an overlap of 0.5.
    """

    name: str
    true: int
    found: int
    right: int
    average_precision: float

    @property
    def precision(self) -> float:
        """Right among found."""
        return self.right / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        """Right among annotated."""
        return self.right / self.true if self.true else float("nan")


@dataclass(frozen=True)
class ObjectsResult:
    """Everything the report says of found objects.

    Attributes:
        name: The target.
        measure: What decides: the overlap of `boxes`, `masks` or `volumes`, or the similarity of `points`.
        total: Pictures.
        objects: Annotated objects.
        threshold: Score from which an object counts: the one with the largest F1 over all classes.
        f1: That F1.
        mean_precision: Mean of the classes' average precision at an overlap of 0.5.
        rows: Per class values.
        errors: Kind of error -> number at the threshold, see `metrics.detection.errors`.
        mistakes: The pictures with most errors.
        heatmaps: Which classes are taken for which, or for none.
        charts: Precision and recall.
    """

    name: str
    measure: str
    total: int
    objects: int
    threshold: float
    f1: float
    mean_precision: float
    rows: list[FoundClass]
    errors: dict[str, int]
    mistakes: list[Mistake]
    heatmaps: list[Heatmap]
    charts: list[Chart]

    @property
    def rule(self) -> str:
        """What makes two objects one, in words."""
        return _RULES[self.measure]

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        return {
            "type": "objects",
            "samples": self.total,
            "objects": self.objects,
            "overlap": OVERLAP,
            "overlap_of": self.measure,
            "score_threshold": self.threshold,
            "f1": self.f1,
            "map50": self.mean_precision,
            "classes": [{**vars(row), "precision": row.precision, "recall": row.recall} for row in self.rows],
            "errors": self.errors,
            "confusion": [{"classes": item.labels, "counts": item.counts} for item in self.heatmaps],
            "mistakes": [{**vars(item), "true": None, "predicted": None} for item in self.mistakes],
        }


def analyse_objects(
    target: str, columns: dict[str, Any], classes: Sequence[str], *, stem: str, seed: int = 0
) -> list[ObjectsResult]:
    """Computes everything from the columns of `predictions.parquet`.

    Args:
        target: Name of the target.
        columns: All columns of the split.
        classes: Class names in the order of their ids.
        stem: Start of the plots' names.
        seed: Not used: nothing is drawn.
    """
    ids = {name: place for place, name in enumerate(classes)}
    found = [scene_of(records, ids) for records in columns[f"{target}_predicted"]]
    true = [scene_of(records, ids) for records in columns.get(target, [[]] * len(found))]
    places = [matched(a, b, OVERLAP) for a, b in zip(found, true, strict=True)]
    hits = np.concatenate([place >= 0 for place in places]) if places else np.zeros(0, dtype=bool)
    scores = np.concatenate([scene.scores for scene in found]) if found else np.zeros(0)
    labels = np.concatenate([scene.labels for scene in found]) if found else np.zeros(0, dtype=np.int64)
    annotated = np.bincount(
        np.concatenate([scene.labels for scene in true]) if true else labels[:0], minlength=len(classes)
    )
    threshold, f1 = best_threshold(scores, hits, int(annotated.sum()))
    counted = scores >= threshold
    curves = [_curve(scores[labels == k], hits[labels == k], int(annotated[k])) for k in range(len(classes))]
    rows = [
        FoundClass(
            name,
            int(annotated[k]),
            int((counted & (labels == k)).sum()),
            int((counted & hits & (labels == k)).sum()),
            curves[k].area,
        )
        for k, name in enumerate(classes)
    ]
    kept = [scene.chosen(scene.scores >= threshold) for scene in found]
    errors = [error_kinds(a, b, OVERLAP) for a, b in zip(kept, true, strict=True)]
    total: Counter[str] = sum(errors, Counter())
    measure = _measure(columns[f"{target}_predicted"])
    return [
        ObjectsResult(
            name=target,
            measure=measure,
            total=len(found),
            objects=int(annotated.sum()),
            threshold=threshold,
            f1=f1,
            mean_precision=finite_mean(np.array([curve.area for curve in curves] or [np.nan])),
            rows=rows,
            errors={kind: int(total[kind]) for kind in ("right", *KINDS)},
            mistakes=_worst(target, columns, errors),
            heatmaps=_confusion(kept, true, classes, f"{stem}-confusion"),
            charts=[_chart(curves, classes, measure, f"{stem}-precision-recall")] if annotated.any() else [],
        )
    ]


def _measure(found: Sequence[Sequence[dict[str, Any]] | None]) -> str:
    """What the similarities of found objects are told of."""
    first = next((record for records in found for record in records or () if record.get("overlaps")), None)
    if first is None:
        return "boxes"
    return "volumes" if first.get("box3d") else "points" if first.get("points") else "masks"


def scene_of(records: Sequence[dict[str, Any]] | None, ids: dict[str, int]) -> Scene:
    """The objects of one cell of the table, by falling score; classes that are not known are left out."""
    kept = [record for record in records or () if record["class"] in ids]
    scores = np.array([record.get("score") or 0.0 for record in kept], dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    boxes = np.array([record["box"] for record in kept], dtype=np.float64).reshape(-1, 4)
    labels = np.array([ids[record["class"]] for record in kept], dtype=np.int64)
    overlaps = None
    if kept and all(record.get("overlaps") is not None for record in kept):
        overlaps = np.array([record["overlaps"] for record in kept], dtype=np.float64)
    return Scene(boxes, labels, scores, overlaps).chosen(order)


def best_threshold(scores: Floats, hits: Any, annotated: int) -> tuple[float, float]:
    """The score from which F1 is largest, and that F1; 1.0 and 0.0 where nothing is right.

    Args:
        scores: Of all found objects `[n]`.
        hits: Which of them stand for a true one, bool `[n]`.
        annotated: Number of true objects.
    """
    if not hits.any() or not annotated:
        return 1.0, 0.0
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    f1 = 2 * np.cumsum(hits[order]) / (np.arange(1, len(order) + 1) + annotated)
    # Equal scores come in together.
    last = np.append(falling[1:] < falling[:-1], True)
    best = int(np.flatnonzero(last)[f1[last].argmax()])
    return float(falling[best]), float(f1[best])


@dataclass(frozen=True)
class _Curve:
    recall: Floats
    precision: Floats
    area: float


def _curve(scores: Floats, hits: Any, annotated: int) -> _Curve:
    """Precision over recall, with what is reached beyond a recall counted for it (COCO, 101 points)."""
    grid = np.linspace(0, 1, 101)
    if not annotated:
        return _Curve(grid, np.full(101, np.nan), float("nan"))
    order = np.argsort(-scores, kind="mergesort")
    right = np.cumsum(hits[order])
    precision = right / np.arange(1, len(order) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(right / annotated, grid, side="left")
    reached = np.where(place < len(best), np.append(best, 0.0)[np.minimum(place, len(best))], 0.0)
    return _Curve(grid, reached, float(reached.mean()))


def _confusion(
    found: Sequence[Scene], true: Sequence[Scene], classes: Sequence[str], name: str
) -> list[Heatmap]:
    """Rows: true classes and nothing; columns: found classes and nothing."""
    pairs = [pair for a, b in zip(found, true, strict=True) for pair in _pairs(a, b, len(classes))]
    rows, columns = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    return confusion_heatmaps(columns, rows, [*classes, "nothing"], name) if pairs else []


def _pairs(found: Scene, true: Scene, nothing: int) -> list[tuple[int, int]]:
    """True and found class of every object of a picture, `nothing` where there is no other side."""
    places = matched(found.of_one_class(), true.of_one_class(), OVERLAP)
    pairs = [
        (int(true.labels[place]) if place >= 0 else nothing, int(label))
        for place, label in zip(places.tolist(), found.labels, strict=True)
    ]
    missed = set(range(len(true.labels))) - set(places.tolist())
    return pairs + [(int(true.labels[place]), nothing) for place in sorted(missed)]


def _worst(target: str, columns: dict[str, Any], errors: Sequence[Counter[str]]) -> list[Mistake]:
    """The pictures with most errors, then of the largest loss."""
    loss = columns.get(f"{target}_loss", np.full(len(errors), np.nan))
    wrong: Ints = np.array([sum(found[kind] for kind in KINDS) for found in errors], dtype=np.int64)
    order = np.lexsort((-np.nan_to_num(loss), -wrong))[:SHOWN]
    return [
        Mistake(
            sample=sample_name(columns, place),
            row=sample_row(columns, place),
            true=columns.get(target, [[]] * len(errors))[place],
            predicted=columns[f"{target}_predicted"][place],
            loss=float(loss[place]),
        )
        for place in order.tolist()
        if wrong[place]
    ]


def _chart(curves: Sequence[_Curve], classes: Sequence[str], measure: str, name: str) -> Chart:
    return precision_recall_chart(
        curves[0].recall,
        [curve.precision for curve in curves],
        [curve.area for curve in curves],
        classes,
        name,
        f"An object is found from {_RULES[measure]} of {OVERLAP:g}",
    )
