"""Several classes at once: which samples belong to which classes, told and true."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainwright.metrics import ranking
from trainwright.metrics.arrays import Floats, floats, ids, log_softmax, predicted_ids
from trainwright.metrics.counts import ClassCounts, class_counts


def memberships(target: Any) -> np.ndarray | None:
    """True classes as booleans `[N, C]`; None where the target is one class id per sample."""
    array = np.asarray(target.detach() if hasattr(target, "detach") else target)
    return array > 0.5 if array.ndim == 2 else None


def counts_of(output: Any, target: Any) -> ClassCounts:
    """Right and wrong per class.

    Args:
        output: Logits `[N, C]`.
        target: Class ids `[N]`, of which the highest logit names one; or memberships `[N, C]`, of which
            every logit above 0, a probability above one half, names one. A NaN names none.
    """
    scores = floats(output)
    members = memberships(target)
    if members is None:
        return class_counts(predicted_ids(scores), ids(target), scores.shape[1])
    told = scores > 0
    return ClassCounts((told & members).sum(axis=0), told.sum(axis=0), members.sum(axis=0))


def ranked_classes(output: Any, target: Any) -> list[ranking.Ranked]:
    """Each class against the rest: by softmax for class ids `[N]`, by its own logit for memberships `[N, C]`.

    A NaN is ranked lowest.
    """
    scores = floats(output)
    members = memberships(target)
    if members is None:
        return ranking.rank_classes(log_softmax(scores), ids(target))
    columns = np.where(np.isnan(scores), -np.inf, scores).T
    return [
        ranking.rank_positives(column, column[own]) for column, own in zip(columns, members.T, strict=True)
    ]


def named(key: str, values: Floats, classes: Any) -> dict[str, float]:
    """A value per class, as `key.<class>`; classes without a name are called by their ids."""
    names = list(classes) if classes is not None else [str(place) for place in range(len(values))]
    return {f"{key}.{name}": float(value) for name, value in zip(names, values, strict=True)}
