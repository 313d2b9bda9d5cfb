"""Samplers that look at classes, weights or sizes: proportions counted by hand."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.samplers.by_size import BySize
from trainwright.data.samplers.class_balanced import ClassBalanced
from trainwright.data.samplers.stratified import Stratified
from trainwright.data.samplers.weighted import Weighted
from trainwright.data.samplers.with_replacement import WithReplacement
from trainwright.errors import RecipeError

LABELS = st.lists(st.integers(0, 3), min_size=1, max_size=120)


def named(labels: list[int] | np.ndarray) -> dict[str, np.ndarray]:
    return {"label": np.asarray(labels, dtype=np.int64)}


@given(LABELS, st.integers(1, 30), st.integers(0, 5))
def test_stratified_batches_have_the_classes_of_the_whole(labels: list[int], batch: int, epoch: int) -> None:
    ids = np.array(labels)
    order = Stratified(named(labels)).order(1, epoch, np.arange(len(ids)))
    classes, counts = np.unique(ids, return_counts=True)
    for start in range(0, len(ids), batch):
        rows = order[start : start + batch]
        for label, count in zip(classes, counts, strict=True):
            # Item j of n lies in the j-th of n parts: a prefix of k places holds k n / N of a class, give
            # or take 1 and the class's share of the others' rounding; a batch is the difference of two.
            share = count / len(ids)
            allowed = 2 + 2 * len(classes) * share
            assert abs((ids[rows] == label).sum() - len(rows) * share) <= allowed


def test_stratified_batches_of_an_even_split_are_nearly_even() -> None:
    ids = np.repeat(np.arange(4), 250)
    order = Stratified(named(ids)).order(0, 0, np.arange(1000))
    counts = [np.bincount(ids[order[start : start + 100]], minlength=4) for start in range(0, 1000, 100)]
    assert np.abs(np.array(counts) - 25).max() <= 3


@given(LABELS, st.integers(0, 6))
def test_class_balanced_visits_classes_equally_often(labels: list[int], epoch: int) -> None:
    ids = np.array(labels)
    order = ClassBalanced(named(labels)).order(2, epoch, np.arange(len(ids)))
    counts = np.bincount(ids[order])[np.unique(ids)]
    assert len(order) == len(ids)
    assert counts.max() - counts.min() <= 1


@given(LABELS, st.integers(1, 6))
def test_class_balanced_lets_the_rows_of_a_class_take_turns(labels: list[int], epochs: int) -> None:
    ids = np.array(labels)
    sampler = ClassBalanced(named(labels))
    visits = np.zeros(len(ids), dtype=int)
    for epoch in range(epochs):
        np.add.at(visits, sampler.order(0, epoch, np.arange(len(ids))), 1)
    for label in np.unique(ids):
        of_class = visits[ids == label]
        assert of_class.max() - of_class.min() <= 1


def test_rows_without_a_class_are_never_balanced() -> None:
    order = ClassBalanced(named([0, -1, 1, -1])).order(0, 0, np.arange(4))
    assert Counter(order.tolist()) == {0: 2, 2: 2}
    with pytest.raises(RecipeError, match="no training sample has a class"):
        ClassBalanced(named([-1, -1])).order(0, 0, np.arange(2))


@pytest.mark.parametrize("by", ["column", "classes"])
def test_weighted_draws_in_proportion(by: str) -> None:
    labels = np.repeat([0, 1, 2], 100)
    if by == "column":
        weights = np.repeat([1.0, 3.0, 0.0], 100)
        sampler = Weighted(named(labels), {}, {"w": weights}, column="w")
    else:
        names = {"label": ("a", "b", "c")}
        sampler = Weighted(named(labels), names, {}, classes={"b": 3.0, "c": 0.0})
    drawn = np.concatenate([sampler.order(5, epoch, np.arange(300)) for epoch in range(40)])
    counts = np.bincount(labels[drawn], minlength=3) / len(drawn)
    assert counts[2] == 0
    # 12,000 draws: the share of a class with chance 1/4 has a standard deviation of 0.004.
    assert counts[:2] == pytest.approx([0.25, 0.75], abs=0.02)


def test_weighted_follows_only_the_rows_of_the_split() -> None:
    sampler = Weighted({}, {}, {"w": np.array([1.0, 1e9, 1.0, 1.0])}, column="w")
    assert set(sampler.order(0, 0, np.array([0, 2, 3])).tolist()) <= {0, 2, 3}


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_weights_must_be_weights(bad: float) -> None:
    sampler = Weighted({}, {}, {"w": np.array([1.0, bad])}, column="w")
    with pytest.raises(RecipeError, match="1 of 2 training samples have a weight"):
        sampler.order(0, 0, np.arange(2))
    assert sampler.order(0, 0, np.array([0])).tolist() == [0], "a row of another split does no harm"
    with pytest.raises(RecipeError, match="weight 0"):
        Weighted({}, {}, {"w": np.zeros(3)}, column="w").order(0, 0, np.arange(3))
    with pytest.raises(RecipeError, match="from one place"):
        Weighted({}, {}, {})
    with pytest.raises(RecipeError, match="no class 'dogg'") as error:
        Weighted(named([0]), {"label": ("cat", "dog")}, {}, classes={"dogg": 2.0})
    assert "did you mean 'dog'?" in str(error.value)


def test_with_replacement_is_a_bootstrap() -> None:
    drawn = np.concatenate([WithReplacement().order(0, epoch, np.arange(10, 210)) for epoch in range(50)])
    assert drawn.min() >= 10 and drawn.max() < 210
    missed = 200 - len(set(WithReplacement().order(0, 0, np.arange(200)).tolist()))
    assert missed / 200 == pytest.approx(np.exp(-1), abs=0.1), "(1 - 1/n)^n of the rows are not drawn"


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=90), st.integers(1, 9), st.integers(1, 4))
def test_batches_by_size_hold_neighbours_of_their_pool(sizes: list[int], batch: int, pool: int) -> None:
    sampler = BySize(batch, {"n": np.array(sizes, dtype=float)}, column="n", pool=pool)
    order = sampler.order(3, 1, np.arange(len(sizes)))
    assert sorted(order.tolist()) == list(range(len(sizes)))
    if pool * batch >= len(sizes):
        whole = len(sizes) // batch
        spans = sorted(
            (min(s), max(s)) for s in np.array(sizes)[order][: whole * batch].reshape(whole, batch)
        )
        assert all(high <= low for (_, high), (low, _) in itertools.pairwise(spans))


def test_sizes_are_lengths_values_and_bytes(tmp_path) -> None:
    from trainwright.data.measures import numbers, sizes
    from trainwright.data.types import RawFile

    (tmp_path / "a").write_bytes(b"12345")
    values = [RawFile(str(tmp_path / "a")), "abc", np.zeros((7, 2)), 2.5, None, RawFile("/no/such/file")]
    assert sizes(values).tolist()[:4] == [5, 3, 7, 2.5]
    assert np.isnan(sizes(values)[4:]).all()
    assert numbers(["1.5", 2, "many", None]).tolist()[:2] == [1.5, 2]
    assert np.isnan(numbers(["1.5", 2, "many", None])[2:]).all()


@pytest.mark.parametrize(
    ("labels", "target", "words"),
    [
        ({}, None, "no target is a category"),
        ({"a": np.zeros(1), "b": np.zeros(1)}, None, "several category targets"),
        ({"kind": np.zeros(1)}, "kin", "no category target 'kin'"),
    ],
)
def test_the_target_must_be_plain(labels: dict[str, np.ndarray], target: str | None, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        Stratified(labels, target=target)
