from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Interval, Len, MultipleOf

from trainwright.fields import ComponentOf, Fraction, OpenFraction, Positive, PositiveInt
from trainwright.registry.plain_words import describe_type, show, show_with_type


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "a whole number"),
        (Positive, "a number > 0"),
        (PositiveInt, "a whole number >= 1"),
        (Fraction, "a number >= 0 and <= 1"),
        (OpenFraction | None, "a number >= 0 and < 1 or null"),
        (bool | Literal["auto"], "true or false or `auto`"),
        (Literal["a", "b", 3], "one of `a`, `b`, 3"),
        (list[PositiveInt], "a list of whole numbers >= 1"),
        (tuple[int, float], "a list of 2: [a whole number, a number]"),
        (tuple[int, ...], "a list of whole numbers"),
        (dict[str, float], "a mapping of text to a number"),
        (dict, "a mapping"),
        (Any, "any value"),
        (Path, "a path"),
        (Annotated[int, MultipleOf(8), Ge(8)], "a whole number a multiple of 8 and >= 8"),
        (Annotated[list[int], Len(1)], "a list of whole numbers with at least 1 entries"),
        (Annotated[float, Interval(gt=0.5)], "a number > 0.5"),
        (Annotated[dict, ComponentOf("loss")], "a loss (a name, or a mapping with `name` and its parameters)"),  # noqa: E501
        (list[Annotated[dict, ComponentOf("metric")]], "a list of metric components"),
    ],
)  # fmt: skip
def test_type_in_words(annotation: Any, words: str):
    assert describe_type(annotation) == words


def test_values_in_words():
    assert show(None) == "null"
    assert show(True) == "true"
    assert show("x" * 100) == "`" + "x" * 57 + "...`"
    assert show_with_type("5") == "the text `5`"
    assert show_with_type([1]) == "the list [1]"
    assert show_with_type(5) == "5"
