"""Which finds are right: each takes, the surest first, the most similar truth that is still free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from trainwright.metrics.detection.evidence import Bools, Evidence, Floats, Ints, places_in_runs

ANY_SIZE = (0.0, 1e10)


@dataclass(frozen=True)
class Matches:
    """The verdict on every find, for A ranges of size and T thresholds of similarity.

    Attributes:
        truth: The truth that each find took, -1 for none, int64 `[D, A, T]`.
        ignored: Finds that count neither as right nor as wrong, bool `[D, A, T]`.
        true_ignored: Truths that need not be found, bool `[G, A]`.
    """

    truth: Ints
    ignored: Bools
    true_ignored: Bools


def match(
    evidence: Evidence,
    thresholds: Sequence[float] | Floats,
    sizes: Sequence[tuple[float, float]] = (ANY_SIZE,),
) -> Matches:
    """Matches as COCO's evaluation does.

    A find takes the most similar free truth of its class whose similarity reaches the threshold, of
    equals the last; one that must be found goes before one that need not (of a crowd, or of another
    size). A crowd may be taken again and again. A find that took nothing and is of another size itself
    is ignored.

    Args:
        evidence: Of `gather`, whose `least` is not above the thresholds.
        thresholds: T least similarities.
        sizes: A ranges of area, both ends included.
    """
    low, high = np.array(sizes, dtype=np.float64).T
    true_ignored = evidence.crowd[:, None] | _outside(evidence.true_area, low, high)
    limits = np.minimum(np.asarray(thresholds, dtype=np.float64), 1 - 1e-10)
    limits = limits.astype(evidence.pair_similarity.dtype)
    shape = (len(low), len(limits))
    truth = np.full((len(evidence.label), *shape), -1, dtype=np.int64)
    taken = np.zeros((len(evidence.true_label), *shape), dtype=bool)
    for finds, truths, alike in _rounds(evidence):
        there = truths >= 0
        free = there[:, :, None, None] & (~taken[truths] | (evidence.crowd[truths] & there)[:, :, None, None])
        free &= alike[:, :, None, None] >= limits
        optional = true_ignored[truths][:, :, :, None]
        chosen = _first(free & ~optional)
        chosen = np.where(chosen >= 0, chosen, _first(free & optional))
        rows, a, t = np.nonzero(chosen >= 0)
        won = truths[rows, chosen[rows, a, t]]
        truth[finds[rows], a, t] = won
        taken[won, a, t] = True
    took = truth >= 0
    ignored = np.zeros(truth.shape, dtype=bool)
    ignored[took] = true_ignored[truth[took], np.nonzero(took)[1]]
    ignored |= ~took & _outside(evidence.area, low, high)[:, :, None]
    return Matches(truth, ignored, true_ignored)


def _outside(areas: Floats, low: Floats, high: Floats) -> Bools:
    outside: Bools = (areas[:, None] < low) | (areas[:, None] > high)
    return outside


def _first(flags: Bools) -> Ints:
    """Place of the first true along the second axis of `[n, P, A, T]`, -1 where there is none."""
    return np.where(flags.any(axis=1), flags.argmax(axis=1), -1)


def _rounds(evidence: Evidence) -> list[tuple[Ints, Ints, npt.NDArray[np.floating]]]:
    """Finds that cannot get into each other's way, round after round.

    Round r holds the r-th find of every sample and class, of those that are similar to any truth.

    Returns:
        Finds `[n]`, their truths `[n, P]` (the most similar first, of equals the last first; -1 for
        none) and the similarities.
    """
    order = np.lexsort((-evidence.pair_truth, -evidence.pair_similarity, evidence.pair_find))
    find, truth = evidence.pair_find[order], evidence.pair_truth[order]
    alike = evidence.pair_similarity[order]
    finds, first, counts = np.unique(find, return_index=True, return_counts=True)
    turn = places_in_runs(evidence.sample[finds], evidence.label[finds])
    rounds = []
    by_turn = np.argsort(turn, kind="stable")
    edges = np.searchsorted(turn[by_turn], np.arange(turn.max(initial=-1) + 2))
    for begin, end in pairwise(edges):
        rows = by_turn[begin:end]
        columns = np.arange(counts[rows].max())
        there = columns < counts[rows][:, None]
        places = np.where(there, first[rows][:, None] + columns, 0)
        rounds.append((finds[rows], np.where(there, truth[places], -1), alike[places]))
    return rounds
