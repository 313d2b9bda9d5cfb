"""What was found and what there is, over a whole split, as flat arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating]
Similarity = Callable[[Ints, Ints, Ints], Floats]
"""Samples, columns of finds, columns of truths, each `[P]`, to the similarity `[P]` of these pairs."""

_CHUNK = 1 << 24  # pairs that are looked at together


@dataclass(frozen=True)
class Evidence:
    """Finds and truths of all samples, and the pairs of both that may match.

    Attributes:
        sample: Sample of each find, int64 `[D]`.
        label: Its class.
        score: Its confidence; finds of a sample and class stand in falling order, equal scores in the
            order in which they were given.
        rank: Place among the finds of its sample and class, from 0.
        area: Its area.
        place: Its column in the padded arrays.
        true_sample: Sample of each truth, int64 `[G]`.
        true_label: Its class.
        true_area: Its area.
        true_place: Its column in the padded arrays.
        crowd: Whether it stands for a group, bool `[G]`.
        pair_find: Finds, int64 `[P]`, with `pair_truth` of the same sample and class.
        pair_truth: Truths, int64 `[P]`.
        pair_similarity: How alike they are, at least the least that was asked for.
    """

    sample: Ints
    label: Ints
    score: Floats
    rank: Ints
    area: Floats
    place: Ints
    true_sample: Ints
    true_label: Ints
    true_area: Floats
    true_place: Ints
    crowd: Bools
    pair_find: Ints
    pair_truth: Ints
    pair_similarity: Floats


def gather(
    labels: Ints,
    scores: Floats,
    areas: Floats,
    true_labels: Ints,
    true_areas: Floats,
    similarity: Similarity,
    *,
    crowd: Bools | None = None,
    least: float = 0.5,
    limit: int = 100,
) -> Evidence:
    """Flat arrays of padded ones.

    Args:
        labels: Classes of the finds `[N, K]`, -1 for none.
        scores: `[N, K]`; NaN ranks last.
        areas: `[N, K]`, in the unit of the ranges of size.
        true_labels: Classes of the truths `[N, M]`, -1 for none.
        true_areas: `[N, M]`.
        similarity: Of pairs; only those of one sample and class are asked for.
        crowd: Truths that stand for a group `[N, M]`.
        least: Pairs below this similarity can never match and are not kept.
        limit: Finds that count per sample and class, the surest first.
    """
    count, finds = labels.shape
    sample, place = np.nonzero(labels >= 0)
    label, score = labels[sample, place], np.asarray(scores, dtype=np.float64)[sample, place]
    score = np.nan_to_num(score, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    order = np.lexsort((-score, label, sample))
    sample, place, label, score = sample[order], place[order], label[order], score[order]
    rank = places_in_runs(sample, label)
    kept = rank < limit
    sample, place, label, score, rank = sample[kept], place[kept], label[kept], score[kept], rank[kept]
    true_sample, true_place = np.nonzero(true_labels >= 0)
    find_at = np.full((count, finds), -1, dtype=np.int64)
    find_at[sample, place] = np.arange(len(sample))
    truth_at = np.full(true_labels.shape, -1, dtype=np.int64)
    truth_at[true_sample, true_place] = np.arange(len(true_sample))
    return Evidence(
        sample,
        label,
        score,
        rank,
        areas[sample, place],
        place,
        true_sample,
        true_labels[true_sample, true_place],
        true_areas[true_sample, true_place],
        true_place,
        np.zeros(len(true_sample), dtype=bool) if crowd is None else crowd[true_sample, true_place],
        *_pairs(labels, true_labels, find_at, truth_at, similarity, least),
    )


def places_in_runs(*keys: Ints) -> Ints:
    """Place of each element within its run of equal keys."""
    count = len(keys[0])
    begins = np.ones(count, dtype=bool)
    if count:
        begins[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    first = np.maximum.accumulate(np.where(begins, np.arange(count), 0))
    return np.arange(count) - first


def _pairs(
    labels: Ints, true_labels: Ints, find_at: Ints, truth_at: Ints, similarity: Similarity, least: float
) -> tuple[Ints, Ints, Floats]:
    """Finds, truths and similarity of the pairs of one class that are alike enough."""
    step = max(1, _CHUNK // max(1, labels.shape[1] * true_labels.shape[1]))
    parts: list[tuple[Ints, Ints, Floats]] = []
    for start in range(0, len(labels), step):
        part = slice(start, start + step)
        same = labels[part][:, :, None] == true_labels[part][:, None, :]
        same &= ((find_at[part] >= 0)[:, :, None]) & ((truth_at[part] >= 0)[:, None, :])
        n, k, m = np.nonzero(same)
        n += start
        alike = similarity(n, k, m)
        # A threshold of the similarity's own precision: 0.7 in float32 is less than 0.7 in float64.
        near = alike >= alike.dtype.type(least)
        n, k, m = n[near], k[near], m[near]
        parts.append((find_at[n, k], truth_at[n, m], alike[near]))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, np.zeros(0)
    finds, truths, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return finds, truths, values
