"""The learning rate after roll-backs is a function of the step."""

from __future__ import annotations

import torch
from torch import nn

from trainwright.engine.health.slowing import Slowing
from trainwright.engine.schedules.constant import Constant


def test_factors_hold_from_their_step_on() -> None:
    slowing = Slowing([(6, 0.5), (12, 0.25)])
    assert [slowing.factor(step) for step in (0, 5, 6, 11, 12, 99)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_a_turn_further_back_stands_for_the_one_that_it_abandons() -> None:
    slowing = Slowing([(12, 0.5), (6, 0.25)])
    assert [slowing.factor(step) for step in (5, 6, 12, 99)] == [1, 0.25, 0.25, 0.25]


def test_rates_of_all_groups_are_set_anew_in_every_step() -> None:
    parameters = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD(
        [{"params": [p], "lr": lr} for p, lr in zip(parameters, (1.0, 0.1), strict=True)]
    )
    schedule, slowing = Constant(100, 10), Slowing([(2, 0.5)])
    rates = []
    for step in (1, 2, 3, 1):
        schedule.apply(optimizer, step)
        slowing.apply(optimizer, step)
        rates.append([group["lr"] for group in optimizer.param_groups])
    assert rates == [[1.0, 0.1], [0.5, 0.05], [0.5, 0.05], [1.0, 0.1]]
