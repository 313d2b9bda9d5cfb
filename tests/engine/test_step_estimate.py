"""Straight lines through measurements at two smaller batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.engine.step_estimate import Line, Measured, StepEstimate

NUMBER = st.integers(0, 10_000)


@given(NUMBER, NUMBER, NUMBER, st.integers(1, 500), st.integers(1, 500), st.integers(1, 4000))
def test_what_grows_in_a_line_is_foretold_exactly(fixed, of_step, of_pass, small, more, samples):
    def taken(of: int, at_once: int) -> int:
        return fixed + of_step * of + of_pass * at_once

    large = small + more
    points = [(s, m, float(taken(s, m))) for s, m in ((small, small), (large, small), (large, large))]
    line = Line.through(points)
    assert line.at(samples, samples) == pytest.approx(taken(samples, samples))
    assert line.at(samples, max(1, samples // 3)) == pytest.approx(taken(samples, max(1, samples // 3)))


def test_noise_never_says_that_more_samples_take_less():
    line = Line.through([(8, 8, 100.0), (16, 8, 90.0), (16, 16, 80.0)])
    assert line.at(1000, 1000) == 80.0


def test_a_forward_pass_has_no_more_samples_than_the_step():
    line = Line(0.0, 1.0, 10.0)
    assert line.at(4, 8) == 44.0


def measured(samples: int, micro: int, host: int, seconds: float) -> Measured:
    return Measured(samples, micro, host, host // 2, seconds)


def test_an_evaluation_that_takes_more_is_what_counts():
    points = (measured(8, 8, 100, 1.0), measured(16, 8, 100, 2.0), measured(16, 16, 180, 2.0))
    estimate = StepEstimate(points, evaluation=300, outputs=50)
    assert estimate.host_bytes(16) == 350
    assert estimate.host_bytes(64) == 180 + 48 * 10
    assert estimate.device_bytes(64) == 90 + 48 * 5


def test_seconds_are_a_line_too():
    points = (measured(8, 8, 1, 1.0), measured(16, 8, 1, 9.0), measured(16, 16, 1, 1.5))
    assert StepEstimate(points).seconds(32) == pytest.approx(2.5)
    assert StepEstimate((measured(2, 2, 1, 1.0),)).seconds(3) == pytest.approx(1.5)
