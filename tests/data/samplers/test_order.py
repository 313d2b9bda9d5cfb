"""Samplers: every row once per epoch, by address."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.samplers.sequential import Sequential
from trainwright.data.samplers.shuffle import Shuffle


@given(
    st.lists(st.integers(0, 10**6), unique=True, min_size=1, max_size=50),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_every_sampler_visits_each_row_once_and_leaves_its_input_alone(rows, seed, epoch):
    given_rows = np.array(rows, dtype=np.int64)
    for sampler in (Shuffle(), Sequential()):
        order = sampler.order(seed, epoch, given_rows)
        assert order.dtype == np.int64
        assert sorted(order.tolist()) == sorted(rows)
    assert given_rows.tolist() == rows


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
