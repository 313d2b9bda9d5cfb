"""Names of other libraries lead to ours."""

from __future__ import annotations

import pytest

from trainwright.errors import RecipeError
from trainwright.registry import TABLES, describe
from trainwright.registry.names_elsewhere import NAMES_ELSEWHERE, name_here


def test_every_name_leads_to_a_component_and_is_none_itself():
    for kind, known in NAMES_ELSEWHERE.items():
        for other, ours in known.items():
            assert ours in TABLES[kind], other
            assert other not in TABLES[kind], other


@pytest.mark.parametrize("name", ["RandomHorizontalFlip", "random_horizontal_flip", "randomhorizontalflip"])
def test_spelling_does_not_matter(name: str):
    assert name_here("augment", name) == "flip"
    with pytest.raises(RecipeError) as caught:
        describe("augment", name)
    assert "did you mean `flip`?" in caught.value.fix


def test_a_name_that_nobody_uses():
    assert name_here("augment", "frobnicate") is None
    assert name_here("stopper", "median") is None
