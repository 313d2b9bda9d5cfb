"""Splits: complete, proportional, repeatable, and refused in words where they make no sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data import splits
from trainwright.errors import DataError, RecipeError
from trainwright.recipe.schema import Split

sizes = st.lists(st.integers(1, 60), min_size=1, max_size=8)
shares = st.tuples(st.integers(1, 20), st.integers(0, 20), st.integers(0, 20)).map(
    lambda parts: np.array(parts) / sum(parts)
)


@given(sizes, shares)
def test_apportion_keeps_class_sizes_and_totals_and_stays_near_the_quotas(counts, fractions):
    seats = splits.apportion(np.array(counts), fractions)
    assert seats.sum(axis=1).tolist() == counts
    assert (seats >= 0).all()
    assert (seats[:, 0] >= 1).all()
    quotas = np.outer(counts, fractions)
    forced = (np.floor(quotas[:, 0] + 1e-9) == 0).sum()  # classes that may have needed a training row
    totals = np.array(counts).sum() * fractions
    assert np.abs(seats.sum(axis=0) - totals).max() <= 1 + forced
    assert np.abs(seats - quotas).max() < 2 + 1e-9


@given(sizes, shares, st.integers(0, 3))
def test_a_split_by_fractions_is_a_partition_and_repeatable(counts, fractions, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(len(labels))
    named = dict(zip(splits.NAMES, fractions.tolist(), strict=True))
    chosen = splits.by_fractions(rows, named, seed, labels)
    joined = np.concatenate(list(chosen.values()))
    assert sorted(joined.tolist()) == rows.tolist()
    again = splits.by_fractions(rows, named, seed, labels)
    assert all(np.array_equal(chosen[name], again[name]) for name in chosen)


def test_ten_per_cent_of_ten_classes_of_a_hundred_is_ten_of_each():
    labels = np.tile(np.arange(10), 100)
    chosen = splits.choose(1000, Split(val=0.1, test=0.2), None, labels)
    assert {name: len(rows) for name, rows in chosen.items()} == {"train": 700, "val": 100, "test": 200}
    assert np.bincount(labels[chosen["val"]]).tolist() == [10] * 10
    assert np.bincount(labels[chosen["test"]]).tolist() == [20] * 10


def test_largest_remainders_by_hand():
    # Quotas of val: 0.7 and 0.6, total 1.3: one seat, and it goes to the larger remainder.
    seats = splits.apportion(np.array([7, 6]), np.array([0.9, 0.1]))
    assert seats.tolist() == [[6, 1], [6, 0]]


def test_another_seed_gives_another_split_and_rows_come_sorted():
    first = splits.choose(200, Split(val=0.2, seed=0), None, None)
    second = splits.choose(200, Split(val=0.2, seed=1), None, None)
    assert not np.array_equal(first["val"], second["val"])
    assert (np.diff(first["val"]) > 0).all()


def test_fractions_may_leave_rows_unused():
    chosen = splits.choose(100, Split(train=0.5, val=0.1), None, None)
    assert {name: len(rows) for name, rows in chosen.items()} == {"train": 50, "val": 10}


def test_without_stratification_a_class_may_be_out_of_proportion():
    labels = np.repeat([0, 1], 50)
    chosen = splits.choose(100, Split(val=0.5, stratify=False), None, labels)
    plain = splits.choose(100, Split(val=0.5), None, None)
    assert np.array_equal(chosen["val"], plain["val"])


def test_validation_is_carved_out_of_the_training_rows_of_a_source_with_a_test_split():
    given_rows = {"train": np.arange(60), "test": np.arange(60, 100)}
    chosen = splits.choose(100, Split(val=0.1), given_rows, np.zeros(100, dtype=np.int64))
    assert list(chosen) == ["train", "val", "test"]
    assert len(chosen["val"]) == 6
    assert sorted([*chosen["train"], *chosen["val"]]) == list(range(60))
    assert chosen["test"].tolist() == list(range(60, 100))


def test_a_second_test_split_is_refused():
    given_rows = {"train": np.arange(60), "test": np.arange(60, 100)}
    with pytest.raises(RecipeError, match="already has a test split of 40 rows"):
        splits.choose(100, Split(test=0.1), given_rows, None)


def test_no_splits_on_either_side_is_an_error_with_a_fix():
    with pytest.raises(RecipeError, match="no splits of its own") as error:
        splits.choose(10, None, None, None)
    assert "val: 0.1" in error.value.fix


def test_data_for_a_trained_model_need_no_split():
    assert splits.choose(3, None, None, None, fitted=True)["test"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("train", "val", "test"), [(0.9, 0.2, 0.0), (None, 0.5, 0.5), (0.0, 0.5, 0.0)])
def test_fractions_that_do_not_fit_are_refused(train, val, test):
    with pytest.raises(RecipeError, match="do not fit in 1"):
        splits.choose(100, Split(train=train, val=val, test=test), None, None)


def test_an_empty_split_is_refused():
    with pytest.raises(DataError, match="val split is empty"):
        splits.choose(5, Split(val=0.01), None, None)
    with pytest.raises(DataError, match="no training split"):
        splits.choose(5, None, {"test": np.arange(5)}, None)


def test_one_class_only_and_a_class_without_training_samples_are_refused():
    rows = {"train": np.array([0, 1]), "val": np.array([2])}
    with pytest.raises(DataError, match="one class only: cat"):
        splits.check_classes("label", ("cat",), np.zeros(3, dtype=np.int64), rows)
    with pytest.raises(DataError, match="no training sample: dog"):
        splits.check_classes("label", ("cat", "dog"), np.array([0, 0, 1]), rows)
    splits.check_classes("label", ("cat", "dog"), np.array([0, 1, 1]), rows)


def test_groups_stay_together_and_sizes_come_near_the_fractions():
    groups = np.repeat([f"patient {number}" for number in range(50)], 4)
    rows = np.arange(200)
    chosen = splits.by_groups(rows, {"train": 0.7, "val": 0.2, "test": 0.1}, 0, groups)
    assert sorted(np.concatenate(list(chosen.values())).tolist()) == rows.tolist()
    assert [len(chosen[name]) for name in ("train", "val", "test")] == [140, 40, 20]
    kept = [{groups[row] for row in part} for part in chosen.values()]
    assert sum(map(len, kept)) == len(set.union(*kept))


def test_another_seed_divides_groups_otherwise():
    groups = np.repeat(np.arange(30), 3)
    first, second = (
        splits.by_groups(np.arange(90), {"train": 0.8, "val": 0.2}, seed, groups) for seed in (0, 1)
    )
    assert first["val"].tolist() != second["val"].tolist()
