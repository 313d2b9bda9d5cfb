"""Intervals against plain resampling one by one, and against the normal approximation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from trainwright.metrics import bootstrap
from trainwright.metrics.classification_table import classification_table, table_of_ids
from trainwright.metrics.counts import class_counts


@pytest.fixture
def guesses():
    rng = np.random.default_rng(0)
    target = rng.choice(4, 300, p=[0.6, 0.3, 0.1, 0.0])
    return np.where(rng.random(300) < 0.7, target, rng.integers(0, 4, 300)), target


def slow_f1_interval(predicted, target, average, label=None):
    rng = np.random.default_rng(1)
    values = []
    for _ in range(1000):
        rows = rng.integers(0, len(target), len(target))
        labels = None if label is None else [label]
        values.append(
            f1_score(target[rows], predicted[rows], labels=labels, average=average, zero_division=0)
        )
    return np.quantile(values, [0.025, 0.975])


def test_share_matches_the_normal_approximation():
    low, high = bootstrap.share(900, 1000)
    half = 1.96 * (0.9 * 0.1 / 1000) ** 0.5
    assert (low, high) == (pytest.approx(0.9 - half, abs=0.003), pytest.approx(0.9 + half, abs=0.003))


def test_per_class_intervals_match_plain_resampling(guesses):
    counts = bootstrap.per_class(class_counts(*guesses, 4), seed=3)
    for label in (0, 1, 2):
        got = bootstrap.interval(counts.f1[:, label])
        assert got == pytest.approx(slow_f1_interval(*guesses, "macro", label), abs=0.02)


def test_macro_interval_matches_plain_resampling(guesses):
    counts = bootstrap.resample_confusion(*guesses, 4)
    got = bootstrap.interval(bootstrap.macro(counts.f1, counts))
    assert got == pytest.approx(slow_f1_interval(*guesses, "macro"), abs=0.015)


def test_resampled_counts_keep_the_total_and_handle_no_prediction(guesses):
    predicted, target = guesses
    predicted[::10] = -1
    counts = bootstrap.resample_confusion(predicted, target, 4)
    assert (counts.support.sum(1) == 300).all()
    assert counts.predicted.sum(1).mean() == pytest.approx(270, abs=2)
    assert (counts.hits <= np.minimum(counts.predicted, counts.support)).all()


def test_interval_of_means_matches_the_normal_approximation():
    values = np.random.default_rng(0).normal(5, 2, 2000)
    low, high = bootstrap.interval(bootstrap.resample_means(values[:, None])[:, 0])
    half = 1.96 * values.std() / 2000**0.5
    assert (low, high) == (
        pytest.approx(values.mean() - half, abs=0.02),
        pytest.approx(values.mean() + half, abs=0.02),
    )


def test_intervals_are_addressed_by_their_seed(guesses):
    assert bootstrap.share(70, 100, seed=1) == bootstrap.share(70, 100, seed=1)
    values = np.random.default_rng(0).normal(size=(50, 1))
    one, same, other = (
        bootstrap.interval(bootstrap.resample_means(values, seed=seed)[:, 0]) for seed in (0, 0, 1)
    )
    assert one == same != other


def test_intervals_of_nothing_are_nan():
    assert np.isnan(bootstrap.share(0, 0)).all()
    assert np.isnan(bootstrap.interval(bootstrap.resample_means(np.zeros((0, 2)))[:, 0])).all()


def test_classification_table_against_scikit_learn(guesses):
    predicted, target = guesses
    rows = table_of_ids(predicted, target, ["a", "b", "c", "d"])
    want = precision_recall_fscore_support(target, predicted, labels=range(4), zero_division=0)
    for key, column in zip(("precision", "recall", "f1", "support"), want, strict=True):
        got = np.nan_to_num([getattr(row, key) for row in rows])
        assert got == pytest.approx(column)
    for row in rows[:3]:
        assert row.f1_interval.low <= row.f1 <= row.f1_interval.high
    assert np.isnan(rows[3].recall)  # class d has no sample
    assert rows[3].support == 0


def test_classification_table_reads_logits():
    rows = classification_table(np.eye(3), np.array([0, 1, 1]), ["a", "b", "c"])
    assert [row.recall for row in rows[:2]] == [1.0, 0.5]
