"""Each class against the rest by score: areas under the ROC and precision-recall curves.

Everything is computed at the positive samples only, from one sorted column a class: exact, ties
included, and quick because NumPy sorts floats with vector instructions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Floats, Ints


@dataclass(frozen=True)
class Ranked:
    """The positives of one class, ascending by score, among all N samples.

    Attributes:
        scores: Scores of the positives `[P]`.
        below: Number of samples with a lower score `[P]`.
        upto: Number of samples with a lower or the same score `[P]`.
        total: N.
    """

    scores: Floats
    below: Ints
    upto: Ints
    total: int


def rank_positives(scores: Floats, positive: np.ndarray) -> Ranked:
    """Places of the positive samples among all.

    Args:
        scores: One class's scores `[N]`.
        positive: Scores of this class's own samples `[P]`.
    """
    order, own = np.sort(scores), np.sort(positive)
    return Ranked(own, np.searchsorted(order, own, "left"), np.searchsorted(order, own, "right"), len(order))


def auroc(ranked: Ranked) -> float:
    """Probability that a positive scores higher than a negative, ties counting half (Mann-Whitney U).

    NaN where there are no positives or no negatives.
    """
    positives, negatives = len(ranked.scores), ranked.total - len(ranked.scores)
    if not positives or not negatives:
        return float("nan")
    # Among themselves the positives win half of all pairs, which is taken off again.
    wins = (ranked.below + ranked.upto).sum() / 2 - positives**2 / 2
    return float(wins / (positives * negatives))


def precision_recall(ranked: Ranked) -> tuple[Floats, Floats]:
    """Precision and recall `[P]` when everything that scores at least as a positive is accepted."""
    positives = len(ranked.scores)
    accepted = positives - np.searchsorted(ranked.scores, ranked.scores, "left")
    return accepted / (ranked.total - ranked.below), accepted / max(positives, 1)


def average_precision(ranked: Ranked) -> float:
    """Mean of the precisions at the positives: the area under the stepped precision-recall curve."""
    if not len(ranked.scores):
        return float("nan")
    return float(precision_recall(ranked)[0].mean())


def rank_classes(scores: Floats, target: Ints) -> list[Ranked]:
    """`rank_positives` of every class.

    Args:
        scores: `[N, C]`; samples with a NaN are ranked lowest.
        target: Class ids `[N]`.
    """
    columns = np.ascontiguousarray(np.where(np.isnan(scores), -np.inf, scores).T)
    own = columns[target, np.arange(len(target))]
    order = np.argsort(target, kind="stable")
    ends = np.cumsum(np.bincount(target, minlength=len(columns)))
    groups = np.split(own[order], ends[:-1])
    return [rank_positives(column, group) for column, group in zip(columns, groups, strict=True)]
