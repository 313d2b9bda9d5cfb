"""Schedules against torch.optim.lr_scheduler and against numbers worked out by hand."""

import math
import random

import pytest
import torch
from torch import nn

from trainwright.engine.schedules.constant import Constant
from trainwright.engine.schedules.cosine import Cosine
from trainwright.engine.schedules.exponential import Exponential
from trainwright.engine.schedules.one_cycle import OneCycle
from trainwright.engine.schedules.plateau import Plateau
from trainwright.engine.schedules.polynomial import Polynomial
from trainwright.engine.schedules.step import Step
from trainwright.errors import RecipeError

STEPS, EPOCH = 60, 6


def _optimizer(**parameters):
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.5, **parameters)


def _torch_factors(make, steps=STEPS):
    optimizer = _optimizer()
    scheduler = make(optimizer)
    factors = []
    for _ in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return factors


def _factors(schedule, steps=STEPS):
    return [schedule.factor(step) for step in range(steps)]


def test_cosine_is_that_of_torch():
    expected = _torch_factors(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=0.1))
    assert _factors(Cosine(STEPS, EPOCH, end=0.1)) == pytest.approx(expected, abs=1e-9)


def test_cosine_with_cycles_is_torch_with_warm_restarts():
    expected = _torch_factors(lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, STEPS // 3))
    assert _factors(Cosine(STEPS, EPOCH, cycles=3)) == pytest.approx(expected, abs=1e-9)


def test_cosine_cycles_can_start_lower_each_time():
    schedule = Cosine(STEPS, EPOCH, cycles=3, cycle_decay=0.5)
    assert [schedule.factor(step) for step in (0, 20, 40)] == pytest.approx([1, 0.5, 0.25])


@pytest.mark.parametrize("shape", ["cosine", "linear"])
def test_one_cycle_is_that_of_torch(shape):
    def make(optimizer):
        strategy = {"cosine": "cos", "linear": "linear"}[shape]
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=1.0, total_steps=STEPS, pct_start=0.25, anneal_strategy=strategy
        )

    expected = _torch_factors(make, STEPS - 1)
    found = _factors(OneCycle(STEPS, EPOCH, rise=0.25, shape=shape), STEPS - 1)
    assert found == pytest.approx(expected, abs=1e-9)


def test_one_cycle_moves_momentum_the_other_way_as_torch_does():
    optimizer = _optimizer()
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=STEPS)
    schedule = OneCycle(STEPS, EPOCH, cycle_momentum=True)
    for step in range(STEPS - 1):
        assert schedule.momentum(step) == pytest.approx(optimizer.param_groups[0]["momentum"], abs=1e-9)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_few_steps_stays_within_bounds(steps):
    assert all(0 < factor <= 1 for factor in _factors(OneCycle(steps, 1), steps))


def test_step_at_epochs_is_torch_with_milestones():
    def make(optimizer):
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, [3 * EPOCH, 7 * EPOCH], gamma=0.2)

    schedule = Step(STEPS, EPOCH, at_epochs=[7, 3], gamma=0.2)
    assert _factors(schedule) == pytest.approx(_torch_factors(make))


def test_step_every_few_epochs_is_that_of_torch():
    expected = _torch_factors(lambda o: torch.optim.lr_scheduler.StepLR(o, 2 * EPOCH, gamma=0.5))
    assert _factors(Step(STEPS, EPOCH, every_epochs=2, gamma=0.5)) == pytest.approx(expected)


def test_step_drops_at_half_and_three_quarters_by_default():
    schedule = Step(100, 10)
    found = [schedule.factor(step) for step in (49, 50, 74, 75, 99)]
    assert found == pytest.approx([1, 0.1, 0.1, 0.01, 0.01])


def test_exponential_in_stairs_is_torch_once_an_epoch():
    factors = _factors(Exponential(STEPS, EPOCH, gamma=0.9, staircase=True))
    expected = _torch_factors(lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9), STEPS // EPOCH)
    assert factors[::EPOCH] == pytest.approx(expected)
    assert factors[EPOCH - 1] == 1.0


def test_exponential_is_smooth_otherwise():
    assert Exponential(STEPS, EPOCH, gamma=0.81).factor(EPOCH // 2) == pytest.approx(0.9)


def test_polynomial_is_that_of_torch():
    expected = _torch_factors(lambda o: torch.optim.lr_scheduler.PolynomialLR(o, STEPS, power=2.0))
    assert _factors(Polynomial(STEPS, EPOCH, power=2.0)) == pytest.approx(expected, abs=1e-9)


def test_polynomial_ends_where_it_is_told():
    schedule = Polynomial(STEPS, EPOCH, power=1.0, end=0.2)
    assert schedule.factor(STEPS // 2) == pytest.approx(0.6)
    assert schedule.factor(STEPS) == pytest.approx(0.2)


@pytest.mark.parametrize(("mode", "relative"), [("min", True), ("max", True), ("min", False), ("max", False)])
def test_plateau_is_that_of_torch(mode, relative):
    rng = random.Random(7)
    values = [20 - 0.3 * i + rng.gauss(0, 1) for i in range(40)]
    optimizer = _optimizer()
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode,
        0.5,
        2,
        threshold=0.05,
        threshold_mode="rel" if relative else "abs",
        cooldown=3,
        eps=0,
    )
    ours = Plateau(
        STEPS, EPOCH, mode=mode, gamma=0.5, patience=2, threshold=0.05, relative=relative, cooldown=3
    )
    for value in values:
        reference.step(value)
        ours.observe(value)
        assert ours.factor(10) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.factor(10) < 1


def test_plateau_goes_on_from_its_state():
    values = [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0]
    whole = Plateau(STEPS, EPOCH, patience=1, cooldown=1)
    first = Plateau(STEPS, EPOCH, patience=1, cooldown=1)
    second = Plateau(STEPS, EPOCH, patience=1, cooldown=1)
    for value in values[:5]:
        first.observe(value)
    second.load_state_dict(first.state_dict())
    for value in values[5:]:
        second.observe(value)
    for value in values:
        whole.observe(value)
    assert second.state_dict() == whole.state_dict()
    assert whole.factor(0) < 1


def test_plateau_counts_nan_as_no_improvement():
    schedule = Plateau(STEPS, EPOCH, patience=0)
    schedule.observe(math.nan)
    assert schedule.factor(0) == pytest.approx(0.1)


def test_plateau_has_a_floor():
    schedule = Plateau(STEPS, EPOCH, patience=0, min_factor=0.05)
    for _ in range(5):
        schedule.observe(math.inf)
    assert schedule.factor(0) == 0.05


@pytest.mark.parametrize(
    "warmup", [{"warmup_steps": 12}, {"warmup_epochs": 2}, {"warmup_fraction": 0.2}], ids=str
)
@pytest.mark.parametrize("kind", [Constant, Step, Cosine, Polynomial, Exponential, Plateau])
def test_warm_up_is_linear_and_arrives(kind, warmup):
    schedule = kind(STEPS, EPOCH, **warmup)
    assert _factors(schedule, 12) == pytest.approx([(step + 1) / 12 for step in range(12)])
    assert schedule.factor(12) == pytest.approx(1.0)


def test_cosine_takes_the_steps_that_the_warm_up_leaves():
    schedule = Cosine(STEPS, EPOCH, warmup_steps=20)
    assert schedule.factor(40) == pytest.approx(0.5)
    assert schedule.factor(STEPS) == pytest.approx(0.0)


def test_a_warm_up_given_twice_is_refused():
    with pytest.raises(RecipeError, match="warmup_steps and warmup_epochs"):
        Constant(STEPS, EPOCH, warmup_steps=3, warmup_epochs=1)


def test_a_warm_up_longer_than_the_run_is_refused():
    with pytest.raises(RecipeError, match="longer than the run"):
        Cosine(STEPS, EPOCH, warmup_steps=STEPS + 1)


def test_factors_depend_on_the_step_alone():
    schedule = OneCycle(STEPS, EPOCH)
    forward = _factors(schedule)
    assert [schedule.factor(step) for step in reversed(range(STEPS))] == forward[::-1]


def test_apply_multiplies_each_groups_own_rate():
    a, b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([{"params": [a], "lr": 1.0}, {"params": [b], "lr": 0.1}], lr=9.0)
    schedule = Polynomial(10, 10, power=1.0)
    for step in (5, 5, 2):
        schedule.apply(optimizer, step)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.8, 0.08])


def test_apply_sets_beta1_where_there_is_no_momentum():
    optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(1))], lr=1.0)
    OneCycle(100, 10, cycle_momentum=True).apply(optimizer, 29)
    assert optimizer.param_groups[0]["betas"] == pytest.approx((0.85, 0.999))


def test_apply_refuses_to_move_a_momentum_that_is_not_there():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    with pytest.raises(RecipeError, match="momentum"):
        OneCycle(10, 1, cycle_momentum=True).apply(optimizer, 0)
