"""A budget that is searched beside a smaller fixed one is dead."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.errors import RecipeError
from trainwright.recipe import load
from trainwright.workflows.checked_tuning import refuse_dead_budget

ROWS = 1000  # 10 steps an epoch


def searched(space: dict[str, Any], **train: Any) -> Any:
    tune = {"space": space, "objectives": {"val/accuracy": "maximize"}}
    given = {f"train.{name}": value for name, value in {"batch_size": 100, "epochs": None, **train}.items()}
    return load("digits", {"tune": tune, **given}).recipe


@pytest.mark.parametrize(
    ("space", "train"),
    [
        ({"train.epochs": {"low": 5, "high": 10}}, {"steps": 20}),
        ({"train.epochs": {"choices": [2, 4]}}, {"steps": 20}),
        ({"train.steps": {"low": 100, "high": 200}}, {"epochs": 10}),
    ],
)
def test_a_budget_without_effect(space, train):
    with pytest.raises(RecipeError, match="every value of") as caught:
        refuse_dead_budget(searched(space, **train), ROWS)
    assert caught.value.where == "tune.space" and "null" in caught.value.fix


@pytest.mark.parametrize(
    ("space", "train"),
    [
        ({"train.epochs": {"low": 1, "high": 10}}, {"steps": 20}),  # one epoch is shorter
        ({"train.epochs": {"low": 5, "high": 10}}, {}),
        ({"train.steps": {"low": 50, "high": 200}}, {"epochs": 10}),
        ({"train.optimizer.lr": {"low": 0.1, "high": 1.0}}, {"steps": 20, "epochs": 10}),
        ({"train.epochs": {"low": 5, "high": 10}, "train.steps": {"low": 5, "high": 20}}, {}),
    ],
)
def test_budgets_that_count(space, train):
    said = []
    try:
        refuse_dead_budget(searched(space, **train), ROWS)
    except RecipeError as error:
        said.append(str(error))
    assert said == []
