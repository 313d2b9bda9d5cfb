"""A range test on a real model: its steps are those of a training, and it is the same every time."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_loops

from trainwright.engine.range_test import Sweep, range_test
from trainwright.engine.rate_curve import RateCurve
from trainwright.progress import NoProgress

ADAM = {"train.optimizer": {"name": "adam", "lr": 0.002}}


def test_rates_rise_by_equal_factors():
    sweep = Sweep(0.01, 1e-4, 1e2, 7)
    assert [sweep.rate(step) for step in range(7)] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100])
    assert sweep.factor(0) == pytest.approx(1e-2) and sweep.factor(6) == pytest.approx(1e4)


def swept(overrides, steps: int = 40) -> tuple[RateCurve, bool, list[float]]:
    parts = tiny_loops.parts(tiny_loops.load({**ADAM, **overrides}))
    curve, risen = range_test(parts, 0.002, 1e-6, 100.0, steps, NoProgress())
    groups = parts.runners[0].optimizer.param_groups
    return curve, risen, [group["lr"] for group in groups]


def test_a_model_that_learns_gets_a_rate_and_twice_the_same():
    first, risen, _ = swept({})
    assert risen and first.suggestion is not None
    assert 1e-4 < first.suggestion < 1.0
    again, _, _ = swept({})
    assert np.array_equal(first.losses, again.losses) and again.suggestion == first.suggestion
    other, _, _ = swept({"train.seed": 1})
    assert not np.array_equal(first.losses[:5], other.losses[:5])


def test_groups_keep_the_ratio_of_their_rates():
    layers = [{"names": ["fc1"], "lr_factor": 0.1}]
    curve, _, rates = swept({"train.layers": layers})
    assert len(rates) == 2
    assert rates[1] == pytest.approx(0.1 * rates[0])
    assert rates[0] == pytest.approx(float(curve.rates[-1]))


def test_what_watches_a_training_is_left_out():
    curve, _, _ = swept(tiny_loops.EVERYTHING | ADAM, 20)
    assert 1 < len(curve.losses) <= 20
    assert np.isfinite(curve.losses[:5]).all()
