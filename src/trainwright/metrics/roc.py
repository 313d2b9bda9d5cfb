"""Points of ROC curves, each class against the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trainwright.errors import RecipeError, closest
from trainwright.metrics.arrays import Floats, finite_mean, floats, ids, log_softmax
from trainwright.metrics.memberships import memberships

Point = tuple[float, float]
"""A rate, and the least score that is accepted there."""


def roc(scores: Floats, positive: np.ndarray) -> tuple[Floats, Floats, Floats]:
    """False and true positive rate and threshold, from accepting nothing to accepting everything.

    Args:
        scores: Of one class `[N]`; NaN is ranked lowest.
        positive: Whether a sample is of the class `[N]`.
    """
    known = np.where(np.isnan(scores), -np.inf, scores)
    order = np.argsort(-known, kind="stable")
    ranked, own = known[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(own)[last]
    with np.errstate(invalid="ignore"):
        true, false = hits / own.sum(), (last + 1 - hits) / (~own).sum()
    return np.append(0.0, false), np.append(0.0, true), np.append(np.inf, ranked[last])


def at_rate(
    key: str,
    choose: Callable[[Floats, Floats, Floats], Point],
    output: Any,
    target: Any,
    classes: Sequence[str] | None,
    positive: str | None,
) -> dict[str, float]:
    """A rate at one point of the curves.

    Args:
        key: Name of the value, `tpr_at_fpr_0.05`.
        choose: From a curve (false and true positive rates, thresholds) to rate and threshold.
        output: Logits `[N, C]`.
        target: Class ids `[N]`, or memberships `[N, C]`.
        classes: Names of the classes.
        positive: The class that counts; the second of two, else the mean over all, when absent.

    Returns:
        The rate, and of a single class the threshold, `threshold_at_...`.
    """
    scores, members = floats(output), memberships(target)
    # Ranked by what does not run into 1 where a model is sure.
    own = ids(target)[:, None] == np.arange(scores.shape[1]) if members is None else members
    ranked = log_softmax(scores.astype(np.float64)) if members is None else scores
    place = _place(positive, classes)
    if place is None and members is None and scores.shape[1] == 2:
        place = 1
    if place is not None:
        rate, least = _at(choose, ranked[:, place], own[:, place])
        return {key: rate, f"threshold_at_{key.partition('_at_')[2]}": _probability(least, members is None)}
    points = [_at(choose, column, rows) for column, rows in zip(ranked.T, own.T, strict=True)]
    return {key: finite_mean(np.array([rate for rate, _ in points]))}


def _at(choose: Callable[[Floats, Floats, Floats], Point], scores: Floats, own: np.ndarray) -> Point:
    if not len(own) or own.all() or not own.any():
        return float("nan"), float("nan")
    return choose(*roc(scores, own))


def _probability(score: float, logarithm: bool) -> float:
    if not math.isfinite(score):
        return score
    return math.exp(score) if logarithm else 0.5 + 0.5 * math.tanh(score / 2)


def _place(positive: str | None, classes: Sequence[str] | None) -> int | None:
    if positive is None:
        return None
    names = list(classes or ())
    if positive not in names:
        guess = closest(positive, names)
        raise RecipeError(
            f"there is no class {positive!r}",
            where="positive",
            fix=f"did you mean {guess!r}?" if guess else f"the classes are {', '.join(names[:20])}",
        )
    return names.index(positive)
