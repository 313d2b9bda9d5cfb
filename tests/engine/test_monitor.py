"""Best values and patience."""

from __future__ import annotations

import math

import pytest

from trainwright.engine.monitor import Monitor


@pytest.mark.parametrize(
    ("mode", "values", "better"),
    [
        ("min", [3.0, 2.0, 2.5, 2.0, 1.0], [True, True, False, False, True]),
        ("max", [0.1, 0.1, 0.2, 0.15], [True, False, True, False]),
    ],
)
def test_tells_which_values_are_the_best_so_far(mode: str, values: list[float], better: list[bool]) -> None:
    monitor = Monitor("val/x", mode)  # type: ignore[arg-type]
    assert [monitor.observe(value, step) for step, value in enumerate(values)] == better
    assert monitor.best == (min if mode == "min" else max)(values)
    assert monitor.best_step == max(step for step, is_better in enumerate(better) if is_better)


def test_a_smaller_gain_than_min_delta_is_none() -> None:
    monitor = Monitor("val/loss", "min", min_delta=0.5)
    assert [monitor.observe(value, 0) for value in (3.0, 2.6, 2.4)] == [True, False, True]


def test_nan_is_never_better_and_costs_patience() -> None:
    monitor = Monitor("val/loss", "min", patience=2)
    assert not monitor.observe(math.nan, 1)
    assert monitor.best is None
    assert monitor.observe(1.0, 2)
    assert [monitor.observe(math.nan, step) for step in (3, 4)] == [False, False]
    assert monitor.exhausted


def test_patience_counts_evaluations_since_the_best() -> None:
    monitor = Monitor("val/loss", "min", patience=2)
    seen = []
    for step, value in enumerate([5.0, 6.0, 4.0, 4.5, 4.0]):
        monitor.observe(value, step)
        seen.append(monitor.exhausted)
    assert seen == [False, False, False, False, True]
    assert not Monitor("val/loss", "min").exhausted


def test_state_comes_back() -> None:
    first, second = Monitor("val/loss", "min", patience=3), Monitor("val/loss", "min", patience=3)
    for step, value in enumerate([5.0, 6.0, 6.0]):
        first.observe(value, step)
    second.load_state_dict(first.state_dict())
    assert (second.best, second.best_step, second.waited) == (5.0, 0, 2)
