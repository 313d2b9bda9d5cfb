"""Columns in blocks behave as the whole column does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.blocks import BlockValues, CodedValues, JoinedBlocks, blocks_of, evenly_spaced


class InBlocks(BlockValues):
    """A column that is held, shown in blocks."""

    def __init__(self, values: np.ndarray, sizes: list[int]) -> None:
        super().__init__(sizes)
        self._values = values

    def block(self, number: int) -> np.ndarray:
        return self._values[self.starts[number] : self.starts[number + 1]]


block_sizes = st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(sum)


@given(block_sizes, st.data())
def test_any_rows_in_any_order(sizes, data):
    values = np.random.default_rng(0).normal(size=sum(sizes))
    rows = np.array(data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1)), dtype=np.int64)
    column = InBlocks(values, sizes)
    np.testing.assert_array_equal(column[rows], values[rows])
    np.testing.assert_array_equal(np.asarray(column.at(np.sort(rows))), values[np.sort(rows)])
    assert column[int(rows[0])] == values[rows[0]]
    np.testing.assert_array_equal(column[1:4], values[1:4])
    assert list(column) == values.tolist() == np.concatenate([b for _, b in column.blocks()]).tolist()


@given(block_sizes)
def test_columns_side_by_side(sizes):
    left, right = np.random.default_rng(0).normal(size=(2, sum(sizes)))
    joined = JoinedBlocks([InBlocks(left, sizes), InBlocks(right, sizes)])
    np.testing.assert_array_equal(np.asarray(joined), np.column_stack([left, right]))
    np.testing.assert_array_equal(joined[0], [left[0], right[0]])


def test_rows_outside():
    column = InBlocks(np.arange(5), [2, 3])
    assert column[-1] == 4
    with pytest.raises(IndexError, match="5 of 5"):
        column[5]


def test_coded_values_are_what_they_code():
    coded = CodedValues(["a", None, "b"], np.array([2, 0, 0, 1], dtype=np.int32))
    assert list(coded) == list(np.asarray(coded)) == ["b", "a", "a", None]
    assert list(coded[1:3]) == ["a", "a"] and list(coded[np.array([3, 0])]) == [None, "b"]


def test_an_array_is_one_block():
    values = np.arange(3)
    assert [(start, block.tolist()) for start, block in blocks_of(values)] == [(0, [0, 1, 2])]


@given(st.integers(1, 200), st.integers(1, 50))
def test_evenly_spaced_rows(count, most):
    chosen = evenly_spaced(np.arange(count), most)
    gaps = np.diff(chosen)
    assert len(chosen) == min(count, most) and chosen[0] == 0
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1
