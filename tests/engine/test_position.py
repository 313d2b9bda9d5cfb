"""How far a training is, and how far it is to go."""

from __future__ import annotations

import pytest

from trainwright.engine.position import Budget, Clock, Position


@pytest.mark.parametrize(
    ("epochs", "steps", "expected"),
    [
        (None, None, 100),
        (3.0, None, 30),
        (0.25, None, 3),
        (1.1, None, 11),  # 11.000000000000002 in floating point
        (0.3, None, 3),
        (1e-9, None, 1),
        (0.0, None, 0),  # to score weights as they are
        (3.0, 12, 12),
        (3.0, 50, 30),
        (None, 7, 7),
    ],
)
def test_the_first_limit_counts(epochs: float | None, steps: int | None, expected: int) -> None:
    assert Budget.of(10, epochs, steps, None).total_steps == expected


def test_minutes_alone_leave_the_steps_open_and_name_the_step_at_which_they_ended() -> None:
    budget, clock = Budget.of(10, None, None, 2.0), Clock()
    assert budget.total_steps is None
    assert budget.spent(10**9, clock) is None
    clock.load_state_dict({"seconds": 120.0})
    assert budget.spent(17, clock) == "2 minutes used up at step 17"


def test_steps_end_a_run() -> None:
    budget = Budget(5)
    assert budget.spent(4, Clock()) is None
    assert budget.spent(5, Clock()) == "all steps done"


def test_the_clock_goes_on_over_attempts() -> None:
    first, second = Clock(), Clock()
    first.load_state_dict({"seconds": 50.0})
    second.load_state_dict(first.state_dict())
    assert 50.0 <= second.seconds < 60.0


def test_an_epoch_is_open_until_it_is_closed() -> None:
    position = Position()
    assert not position.is_open
    for _ in range(3):
        position.advance()
    assert position.is_open
    position.close_epoch(steps_per_epoch=4)  # a budget that ended in mid-epoch
    assert not position.is_open
    assert (position.epoch, position.index, position.step) == (0, 3, 3)
    position.advance()
    position.close_epoch(steps_per_epoch=4)
    assert (position.epoch, position.index, position.step) == (1, 0, 4)


def test_all_counters_come_back() -> None:
    first, second = Position(), Position()
    for _ in range(5):
        first.advance()
    first.close_epoch(5)
    first.advance()
    second.load_state_dict(first.state_dict())
    assert vars(second) == vars(first) == {"epoch": 1, "index": 1, "step": 6, "closed": 5}
