"""Rules of a training's health, on numbers made by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainwright.engine.health import rules
from trainwright.engine.health.gradients import GradientNorms


def test_a_slope_and_its_t_are_those_of_a_line_fitted_by_hand() -> None:
    slope, t = rules.slope_test([1.0, 2.0, 2.0, 3.0])
    # Sum of squares of x is 5, of the residuals 0.2: sqrt(0.2 / 2 / 5) = sqrt(0.02).
    assert (slope, t) == pytest.approx((0.6, 0.6 / 0.02**0.5))


def test_a_gradient_explodes_against_its_median() -> None:
    assert rules.exploding([1.0] * 5 + [99.0]) is None
    assert rules.exploding([1.0] * 4 + [101.0]) is None
    assert "101 times" in str(rules.exploding([1.0] * 5 + [101.0]))


def test_a_gradient_vanishes_three_times_in_a_row() -> None:
    gone = {"a": 1e-9, "b": 1.0}
    assert rules.vanishing([gone, gone]) is None
    assert rules.vanishing([gone, {"a": 1.0, "b": 1.0}, gone]) is None
    found = rules.vanishing([gone] * 3)
    assert found is not None
    assert found[0] == "a"


def test_a_loss_that_rises_diverges_and_one_that_falls_does_not() -> None:
    rising = [1.0 + 0.1 * i for i in range(20)]
    assert rules.diverging(rising) is not None
    assert rules.diverging(rising[::-1]) is None
    assert rules.diverging(rising[:19]) is None


def test_a_loss_that_stands_still_is_a_plateau() -> None:
    assert rules.plateau([1.0] * 6) is not None
    assert rules.plateau([1.0] * 5) is None
    assert rules.plateau([1.0, 0.9, 0.8, 0.7, 0.6, 0.5]) is None


def test_norms_by_group_make_up_the_whole() -> None:
    parts = [(f"{name}.weight", nn.Parameter(torch.zeros(2))) for name in ("a", "b")]
    parts[0][1].grad, parts[1][1].grad = torch.tensor([3.0, 4.0]), torch.tensor([0.0, 12.0])
    norms = GradientNorms(parts)
    norms.read()
    taken = norms.taken()
    assert taken is not None
    assert (taken.total, taken.groups) == (13.0, {"a": 5.0, "b": 12.0})
    assert taken.means == pytest.approx({"a": (25 / 2) ** 0.5, "b": (144 / 2) ** 0.5})
    assert norms.taken() is None
