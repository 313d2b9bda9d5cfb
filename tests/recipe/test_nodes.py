from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.errors import RecipeError
from trainwright.recipe.nodes import GIVEN, from_plain, join_path, leaves, split_path


@given(st.lists(st.text(min_size=1), min_size=1))
def test_split_undoes_join(parts: list[str]):
    assert split_path(join_path(tuple(parts))) == tuple(parts)


def test_key_with_dots_is_quoted():
    assert join_path(("data", "targets", "a.b", 0)) == 'data.targets."a.b".0'


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", 'a"b', '"a"b'])
def test_what_is_no_key_path(text: str):
    with pytest.raises(RecipeError, match="is not a key path"):
        split_path(text)


def test_python_values_become_plain():
    node = from_plain({"a": (1, Path("x/y")), 3: np.float32(0.5), "n": None}, GIVEN)
    assert node.plain() == {"a": [1, "x/y"], "3": 0.5, "n": None}
    assert type(node.plain()["3"]) is float


def test_other_python_values_are_refused_with_their_place():
    with pytest.raises(RecipeError) as caught:
        from_plain({"a": [1, {"b": object()}]}, GIVEN)
    assert caught.value.where == "a.1.b"


def test_leaves():
    found = list(leaves({"a": {"b": 1}, "c": [2, {}], "d": []}))
    assert found == [(("a", "b"), 1), (("c", 0), 2), (("c", 1), {}), (("d",), [])]
