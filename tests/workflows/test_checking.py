"""What is refused before data are read and a model is built."""

from __future__ import annotations

import pytest

from trainwright import recipe as recipes
from trainwright.errors import RecipeError
from trainwright.workflows.checking import check
from trainwright.workflows.training import check_targets


def test_a_task_that_needs_targets_says_so():
    with pytest.raises(RecipeError) as caught:
        check("digits", {"data.targets": None})
    assert caught.value.what == "`targets` is missing"
    assert caught.value.where.startswith("digits.yaml:") and caught.value.where.endswith("data.targets")


def test_others_do_without():
    recipe = recipes.load("digits_adversarial").recipe
    assert recipe.data.targets == {}
    check_targets(recipe)
