"""Order, cycles and what follows from what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainwright.workflows.pipeline.graph import before, behind, find_cycle, in_order

DIAMOND = {"last": ("left", "right"), "left": ("first",), "right": ("first",), "first": (), "apart": ()}


def test_each_stands_behind_what_it_waits_for_else_in_the_order_of_the_file():
    assert in_order(DIAMOND) == ["first", "apart", "left", "right", "last"]


def test_a_cycle_is_told_in_the_direction_of_waiting():
    after = {"a": ("b",), "b": ("c",), "c": ("a",), "d": ()}
    ring = find_cycle(after)
    assert sorted(ring) == ["a", "b", "c"]
    for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        assert other in after[one]


def test_no_cycle():
    assert find_cycle(DIAMOND) == []


@st.composite
def graphs(draw):
    """Random graphs without cycles: a stage waits for stages of smaller numbers only."""
    size = draw(st.integers(1, 8))
    return {str(n): tuple(map(str, draw(st.sets(st.integers(0, n - 1))))) if n else () for n in range(size)}


def reaches(after, start, goal):
    return start == goal or any(reaches(after, other, goal) for other in after[start])


@given(graphs(), st.data())
def test_before_and_behind_are_what_paths_say(after, data):
    names = data.draw(st.sets(st.sampled_from(sorted(after)), min_size=1))
    assert before(after, names) == {n for n in after if any(reaches(after, m, n) for m in names)}
    expected = {n for n in after if any(reaches(after, n, m) for m in names)} - names
    assert behind(after, names) == expected
