"""A text that is no YAML is told with the line and the letter to change."""

from __future__ import annotations

import pytest

from trainwright.errors import RecipeError
from trainwright.recipe.yaml12 import parse


def fault(text: str) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        parse(text, "r.yaml", {})
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "what", "fix"),
    [
        ("a: 1\nt:\n\tepochs: 3\n", 3, "indented by a tab", "indent with spaces"),
        ("t:\n  epochs:3\n  batch: 32\n", 2, "`epochs:3` is one word", "`epochs: 3`"),
        ("t:\n  lr: 1\n  epochs:3\n", 3, "`epochs:3` is one word", "`epochs: 3`"),
        ("t: [1, 2\nb: 3\n", 2, "',' or ']'", "close the list"),
        ("t: {a: 1\nb: 3\n", 2, "',' or '}'", "close the mapping"),
        ("t: 'abc\nb: 3\n", 1, "end of stream", "close the quote"),
        ("a: @x\n", 1, "cannot start any token", "between quotes: '@x'"),
        ("a: *x\n", 1, "undefined alias", "define it before"),
        ("- a\nb: 3\n", 2, "expected '-' indicator", "begin every item with -"),
        ("a: 1\n---\nb: 2\n", 2, "another document", "one document"),
        ("t:\n  a: 1\n   b: 2\n", 3, "mapping values are not allowed", "same column"),
        ("t:\n    a: 1\n  b: 2\n", 3, "did not find expected key", "same column"),
        ('a: "x\\q"\n', 1, "unknown escape", "single quotes"),
    ],
)
def test_place_and_mend(text: str, line: int, what: str, fix: str):
    error = fault(text)
    assert error.where == f"r.yaml:{line}"
    assert what in error.what and error.what.startswith("not valid YAML: ")
    assert fix in error.fix


@pytest.mark.parametrize("text", ["a: http://x.org/y\n", "a: 12:30\n", "a: b:c\n"])
def test_a_colon_within_a_value_is_no_fault(text: str):
    assert isinstance(parse(text, "r.yaml", {}).value, dict)


def test_where_an_open_list_began_is_said():
    assert "line 1" in fault("t: [1, 2\nb: 3\nc: 4\n").why


def test_a_letter_that_no_text_may_have():
    assert fault("a: \x01\n").fix
