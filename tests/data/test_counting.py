"""Counts and look-ups that go through large arrays a piece at a time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data import counting


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(counting, "_PIECE", 3)


def test_classes_are_counted_over_all_pieces():
    ids = np.array([2, 0, 2, 1, 1, 2, 0, 2], dtype=np.int16)
    assert counting.class_counts(ids, np.array([0, 2, 3, 5, 6, 7]), 5).tolist() == [1, 1, 4, 0, 0]
    assert counting.class_counts(ids, np.array([], dtype=np.int64), 2).tolist() == [0, 0]


@given(st.lists(st.integers(0, 12)))
def test_occurrences_are_those_that_python_counts(values):
    found = counting.occurrences(np.array(values, dtype=np.int64))
    assert {number: count for number, count in enumerate(found.tolist()) if count} == Counter(values)


@given(st.lists(st.integers(-2, 15)), st.lists(st.integers(0, 12)))
def test_all_among_is_what_sets_say(picked, rows):
    answer = counting.all_among(np.array(picked, dtype=np.int32), np.array(rows, dtype=np.int64))
    assert answer == (set(picked) <= set(rows))
