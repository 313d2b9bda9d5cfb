"""Precision and recall of matched finds, per class, range of size and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import finite_mean
from trainwright.metrics.detection.evidence import Evidence, Floats, Ints
from trainwright.metrics.detection.matching import ANY_SIZE, Matches, match

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Least similarity of a match."""

RECALLS = np.linspace(0.0, 1.0, 101)
"""Places of the precision-recall curve over which precision is averaged."""

SIZES = {"": ANY_SIZE, "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Ranges of area in square pixels."""


@dataclass(frozen=True)
class Curves:
    """Precision and recall of C classes, A ranges of size and T thresholds; NaN where nothing is to be found.

    Attributes:
        classes: Class ids that occur among the truths, int64 `[C]`.
        limits: Finds per sample and class that count, L rising numbers.
        precision: At each of `RECALLS`, with the largest limit, float64 `[C, A, T, 101]`: the best
            precision at that recall or a higher one, 0 where it is not reached.
        score: The score down to which finds must be kept for it, likewise.
        recall: Of all finds within a limit, float64 `[C, A, T, L]`.
    """

    classes: Ints
    limits: tuple[int, ...]
    precision: Floats
    score: Floats
    recall: Floats


def curves(evidence: Evidence, matches: Matches, limits: Sequence[int] = (1, 10, 100)) -> Curves:
    """Ranks the finds of every class over all samples and counts.

    Args:
        evidence: Finds and truths.
        matches: Verdicts on them.
        limits: Finds per sample and class that count, for the recall.
    """
    classes = np.unique(evidence.true_label)
    _, sizes, thresholds = matches.truth.shape
    shape = (len(classes), sizes, thresholds)
    precision, score = np.full((*shape, len(RECALLS)), np.nan), np.full((*shape, len(RECALLS)), np.nan)
    recall = np.full((*shape, len(limits)), np.nan)
    # Of equal scores the earlier sample goes first, and within a sample the earlier find.
    order = np.lexsort((-evidence.score, evidence.label))
    labels = evidence.label[order]
    for place, label in enumerate(classes):
        begin, end = np.searchsorted(labels, (label, label + 1))
        finds = order[begin:end]
        wanted = (~matches.true_ignored[evidence.true_label == label]).sum(axis=0)
        counted = ~matches.ignored[finds]
        right = counted & (matches.truth[finds] >= 0)
        rank = evidence.rank[finds]
        for a in np.flatnonzero(wanted):
            for number, limit in enumerate(limits):
                recall[place, a, :, number] = right[rank < limit, a].sum(axis=0) / wanted[a]
            kept = rank < limits[-1]
            precision[place, a], score[place, a] = _curve(
                right[kept, a], counted[kept, a], evidence.score[finds][kept], int(wanted[a])
            )
    return Curves(classes, tuple(limits), precision, score, recall)


def _curve(right: Floats, counted: Floats, scores: Floats, wanted: int) -> tuple[Floats, Floats]:
    """Precision and score at each of `RECALLS`, `[T, 101]`, of ranked finds `[n, T]`."""
    hits, shown = right.cumsum(axis=0), counted.cumsum(axis=0)
    recall = hits / wanted
    # Without the lower bound a find that counts for nothing would divide by 0.
    precise = hits / (shown + np.spacing(1))
    precise = np.maximum.accumulate(precise[::-1], axis=0)[::-1]
    count, thresholds = right.shape
    precision, score = np.zeros((thresholds, len(RECALLS))), np.zeros((thresholds, len(RECALLS)))
    for t in range(thresholds):
        places = np.searchsorted(recall[:, t], RECALLS, side="left")
        reached = places < count
        precision[t, reached] = precise[places[reached], t]
        score[t, reached] = scores[places[reached]]
    return precision, score


def summary(evidence: Evidence, limits: Sequence[int] = (1, 10, 100)) -> dict[str, float]:
    """COCO's numbers.

    Args:
        evidence: Finds and truths.
        limits: Finds per sample and class that count.

    Returns:
        `map` (mean over classes and the thresholds 0.5, 0.55, ... 0.95 of the average precision), `map50`,
        `map75`, `map_small`, `map_medium`, `map_large`; `ar_LIMIT` (recall averaged likewise), `ar_small`,
        `ar_medium`, `ar_large`. All in 0..1, NaN where there is nothing of the kind to be found.
    """
    matches = match(evidence, THRESHOLDS, tuple(SIZES.values()))
    found = curves(evidence, matches, limits)
    values = {
        "map": finite_mean(found.precision[:, 0]),
        "map50": finite_mean(found.precision[:, 0, 0]),
        "map75": finite_mean(found.precision[:, 0, 5]),
    }
    values |= {f"ar_{limit}": finite_mean(found.recall[:, 0, :, n]) for n, limit in enumerate(limits)}
    for place, size in enumerate(SIZES):
        if size:
            values[f"map_{size}"] = finite_mean(found.precision[:, place])
            values[f"ar_{size}"] = finite_mean(found.recall[:, place, :, -1])
    return values
