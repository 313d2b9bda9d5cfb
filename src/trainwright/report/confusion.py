"""Which classes are taken for which, kept as pairs so that ten thousand classes fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainwright.metrics.arrays import Ints
from trainwright.metrics.counts import confusion_counts
from trainwright.report.charts import Heatmap

READABLE = 30
CLOSEUP = 25
SQUARES = 200


@dataclass(frozen=True)
class ConfusedPair:
    """A kind of mistake.

    Attributes:
        true: True class.
        predicted: What it was taken for.
        count: How often.
        share: Of the samples of the true class.
    """

    true: str
    predicted: str
    count: int
    share: float


def confused_pairs(
    predicted: Ints, target: Ints, classes: Sequence[str], limit: int = 20
) -> list[ConfusedPair]:
    """The most frequent mistakes, most frequent first."""
    wrong = (predicted != target) & (predicted >= 0)
    pairs, counts = np.unique(target[wrong] * len(classes) + predicted[wrong], return_counts=True)
    support = np.bincount(target, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")[:limit]
    return [
        ConfusedPair(classes[true], classes[guess], count, count / int(support[true]))
        for true, guess, count in zip(
            (pairs[order] // len(classes)).tolist(),
            (pairs[order] % len(classes)).tolist(),
            counts[order].tolist(),
            strict=True,
        )
    ]


def confusion_heatmaps(predicted: Ints, target: Ints, classes: Sequence[str], name: str) -> list[Heatmap]:
    """The whole matrix where it can be read; else a part that can, then the whole in squares."""
    size = len(classes)
    if size <= READABLE:
        counts = confusion_counts(predicted, target, size)
        totals = np.bincount(target, minlength=size)
        return [Heatmap(name, "Confusion matrix", counts, tuple(classes), totals)]
    return [
        _closeup(predicted, target, classes, f"{name}-closeup"),
        _overall(predicted, target, classes, name),
    ]


def _overall(predicted: Ints, target: Ints, classes: Sequence[str], name: str) -> Heatmap:
    """All classes, neighbours gathered into squares where there are more than a screen has room for."""
    together = -(-len(classes) // SQUARES)
    size = -(-len(classes) // together)
    # A sample without a prediction stays one: -1 // n is -1.
    counts = confusion_counts(predicted // together, target // together, size)
    labels = tuple(classes[::together])
    note = f"All {len(classes):,} classes in the order of their ids"
    note += f", {together} to a square." if together > 1 else "."
    totals = np.bincount(target // together, minlength=size)
    return Heatmap(name, "Confusion matrix", counts, labels, totals, note)


def _closeup(predicted: Ints, target: Ints, classes: Sequence[str], name: str) -> Heatmap:
    """The classes that take part in most mistakes, those that are confused with each other side by side."""
    size = len(classes)
    wrong = (predicted != target) & (predicted >= 0)
    involved = np.bincount(target[wrong], minlength=size) + np.bincount(predicted[wrong], minlength=size)
    chosen = np.sort(np.argsort(-involved, kind="stable")[:CLOSEUP])
    place = np.full(size, -1)
    place[chosen] = np.arange(len(chosen))
    inside = (predicted >= 0) & (place[target] >= 0) & (place[predicted] >= 0)
    counts = confusion_counts(place[predicted[inside]], place[target[inside]], len(chosen))
    order = _neighbours_first(counts)
    totals = np.bincount(target, minlength=size)[chosen[order]]
    return Heatmap(
        name,
        "The most confused classes",
        counts[np.ix_(order, order)],
        tuple(classes[index] for index in chosen[order]),
        totals,
        f"The {len(chosen)} of {size:,} classes that take part in most mistakes, "
        "ordered so that confused classes stand side by side. Shades are shares of all samples of a class.",
    )


def _neighbours_first(counts: Ints) -> Ints:
    """A chain that always goes on to the class that is most confused with the last one."""
    ties = (counts + counts.T).astype(np.float64)
    np.fill_diagonal(ties, -1.0)
    chain = [int(ties.sum(axis=1).argmax())]
    left = np.ones(len(counts), dtype=bool)
    left[chain[0]] = False
    while left.any():
        following = int(np.where(left, ties[chain[-1]], -2.0).argmax())
        chain.append(following)
        left[following] = False
    return np.array(chain)
