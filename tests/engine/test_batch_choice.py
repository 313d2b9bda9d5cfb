"""Choices from measurements whose answer is plain."""

from __future__ import annotations

import pytest

from trainwright.engine.batch_choice import bytes_per_sample, choose_batch, is_enough
from trainwright.engine.step_estimate import Measured

MIB = 1 << 20


def measured(*items: tuple[int, float, int]) -> list[Measured]:
    """Samples, seconds of a step, MiB."""
    return [Measured(n, n, mib * MIB, 0, seconds) for n, seconds, mib in items]


# 100, 190, 240, 250 samples a second; 10 MiB a sample beyond 50 MiB.
FOUR = measured((10, 0.1, 150), (20, 20 / 190, 250), (40, 40 / 240, 450), (80, 80 / 250, 850))


def test_the_smallest_within_a_twentieth_of_the_best_is_suggested():
    choice = choose_batch(FOUR, 10_000, 2050 * MIB, on_device=False)
    assert choice.rates == pytest.approx([100, 190, 240, 250])
    assert choice.suggestion == 40 and not choice.rising
    assert choose_batch(FOUR[:2], 10_000, 2050 * MIB, on_device=False).rising


def test_the_largest_is_where_the_line_of_memory_meets_the_room():
    assert bytes_per_sample(FOUR, on_device=False) == 10 * MIB
    assert choose_batch(FOUR, 10_000, 2050 * MIB, on_device=False).largest == 200
    assert choose_batch(FOUR, 150, 2050 * MIB, on_device=False).largest == 150  # no more than there are
    assert choose_batch(FOUR, 10_000, 850 * MIB, on_device=False).largest == 80
    # Nothing is taken of a device, so any batch fits there.
    assert choose_batch(FOUR, 10_000, 2050 * MIB, on_device=True).largest == 10_000


def test_what_would_take_too_much_is_not_tried():
    assert not is_enough(FOUR, 1700 * MIB, 1e9, 9, on_device=False)  # 160 samples take 1650 MiB
    assert is_enough(FOUR, 1600 * MIB, 1e9, 9, on_device=False)
    assert not is_enough(FOUR, 1700 * MIB, 6.5, 9, on_device=False)  # ten steps of 0.64 s
    assert is_enough(FOUR, 1700 * MIB, 6.3, 9, on_device=False)


def test_it_ends_where_doubling_brings_nothing_and_the_memory_is_known():
    flat = measured((10, 0.1, 150), (20, 0.1, 250), (40, 0.2, 450), (80, 0.4, 850))
    assert is_enough(flat, 1 << 40, 1e9, 9, on_device=False)
    assert not is_enough(flat[:3], 1 << 40, 1e9, 9, on_device=False)  # 100 and 200 a second, once again 200
    small = measured((10, 0.1, 100), (20, 0.1, 101), (40, 0.2, 102), (80, 0.4, 103))
    assert not is_enough(small, 1 << 40, 1e9, 9, on_device=False)
