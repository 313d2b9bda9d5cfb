"""Running sums that do not depend on when somebody asks for them."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainwright.engine.averages import Averages, means

VALUES = st.lists(
    st.tuples(st.floats(-1e6, 1e6, width=32), st.integers(1, 64), st.booleans()), min_size=1, max_size=30
)


def slow(values: list[tuple[float, int, bool]]) -> tuple[float, float]:
    """One after the other, in double precision."""
    total = weight = 0.0
    for value, count, _ in values:
        total += float(torch.tensor(value))
        weight += count
    return total, weight


@given(VALUES)
def test_sums_do_not_depend_on_when_they_are_settled(values: list[tuple[float, int, bool]]) -> None:
    averages = Averages()
    for value, weight, look in values:
        averages.add("loss", torch.tensor(value), weight)
        if look:
            averages.sums()
    assert averages.sums() == averages.epoch_sums() == {"loss": slow(values)}


@given(VALUES)
def test_sums_of_the_epoch_do_not_depend_on_how_it_was_cut(values: list[tuple[float, int, bool]]) -> None:
    averages, stretch = Averages(), []
    for item in values:
        averages.add("loss", torch.tensor(item[0]), item[1])
        stretch.append(item)
        if item[2]:
            assert averages.sums() == {"loss": slow(stretch)}
            averages.next_stretch()
            stretch = []
    assert averages.epoch_sums() == {"loss": slow(values)}


@given(VALUES, st.data())
def test_partial_sums_go_on_in_another_process(
    values: list[tuple[float, int, bool]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(values)))
    first, second = Averages(), Averages()
    for value, weight, _ in values[:cut]:
        first.add("loss", torch.tensor(value), weight)
    second.add("stale", torch.tensor(1.0), 1)
    second.load_state_dict(first.state_dict())
    for value, weight, _ in values[cut:]:
        second.add("loss", torch.tensor(value), weight)
    assert second.epoch_sums() == {"loss": slow(values)}


def test_names_come_and_go_and_counts_are_exact() -> None:
    averages = Averages()
    averages.add("loss", torch.tensor(6.0), 3)
    averages.add("right", torch.tensor(2), 3)
    averages.next_stretch()
    averages.add("right", torch.tensor(5), 5)
    assert averages.sums() == {"right": (5.0, 5)}
    assert means(averages.epoch_sums()) == {"loss": 2.0, "right": 7 / 8}
    averages.next_epoch()
    assert averages.sums() == averages.epoch_sums() == {}
