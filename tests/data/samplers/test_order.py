"""Samplers: every row once per epoch, by address."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright import registry
from trainwright.data.samplers.sequential import Sequential
from trainwright.data.samplers.shuffle import Shuffle

OPTIONS = {"weighted": {"column": "n"}, "by_size": {"column": "n"}}


def samplers():
    """Every sampler that ships, for a source of 60 rows in three classes."""
    known = {
        "rows": np.arange(60),
        "labels": {"label": np.arange(60) % 7 % 3},
        "class_names": {"label": ("a", "b", "c")},
        "columns": {"n": np.arange(1.0, 61)},
        "batch_size": 8,
    }
    names = registry.names("sampler")
    return {
        name: registry.build("sampler", {"name": name, **OPTIONS.get(name, {})}, **known) for name in names
    }


@given(st.sets(st.integers(0, 59), min_size=1), st.integers(0, 9), st.integers(0, 9))
def test_an_epoch_is_a_function_of_seed_epoch_and_rows_and_keeps_its_length(chosen, seed, epoch):
    rows = np.array(sorted(chosen), dtype=np.int64)
    for name, sampler in samplers().items():
        order = sampler.order(seed, epoch, rows)
        sampler.order(seed + 1, epoch, rows)
        assert order.dtype in (np.int64, np.int32)
        assert len(order) == len(rows)
        assert set(order.tolist()) <= chosen, name
        if sampler.each_once:
            assert sorted(order.tolist()) == sorted(chosen), name
        assert np.array_equal(order, samplers()[name].order(seed, epoch, rows)), name
    assert rows.tolist() == sorted(chosen), "the rows that were given are left alone"


def test_epochs_and_seeds_differ():
    for name, sampler in samplers().items():
        orders = {tuple(sampler.order(seed, epoch, np.arange(60))) for seed in range(3) for epoch in range(3)}
        assert len(orders) == (1 if name == "sequential" else 9), name


def test_which_samplers_promise_each_row_once():
    once = {name for name, sampler in samplers().items() if sampler.each_once}
    assert once == {"shuffle", "sequential", "stratified", "by_size"}


def test_shuffle_is_a_pure_function_of_seed_and_epoch():
    rows = np.arange(1000)
    first = Shuffle().order(3, 5, rows)
    Shuffle().order(4, 0, rows)
    assert np.array_equal(first, Shuffle().order(3, 5, rows))
    assert not np.array_equal(first, Shuffle().order(3, 6, rows))
    assert not np.array_equal(first, Shuffle().order(4, 5, rows))


def test_shuffle_puts_each_row_at_each_place_equally_often():
    places = np.zeros((4, 4))
    for epoch in range(4000):
        places[np.arange(4), Shuffle().order(0, epoch, np.arange(4))] += 1
    assert np.abs(places - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)


@pytest.mark.parametrize("epoch", [0, 3])
def test_sequential_keeps_the_order(epoch):
    assert Sequential().order(1, epoch, np.array([5, 2, 9])).tolist() == [5, 2, 9]
