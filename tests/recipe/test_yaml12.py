import math
from typing import Any

import pytest

from trainwright.errors import ErrorList, RecipeError
from trainwright.recipe.nodes import OVERRIDE
from trainwright.recipe.yaml12 import parse, parse_value


def plain(text: str, **environment: str) -> Any:
    return parse(text, "r.yaml", environment).plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("1E5", 1e5), ("-2.5e+3", -2500.0), (".5", 0.5), ("5.", 5.0), ("+1.0", 1.0),
        ("12", 12), ("-7", -7), ("007", 7), ("0o17", 15), ("0xff", 255), (".inf", math.inf),
        ("-.INF", -math.inf), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        # Numbers, times, dates and truth values of YAML 1.1 alone are text.
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("y", "y"), ("017_0", "017_0"),
        ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("2001-01-01", "2001-01-01"), ("0b11", "0b11"),
        ("1e", "1e"), (".", "."), ("-", "-x"), ("inf", "inf"), ("nan", "nan"), ("tRUE", "tRUE"),
        ("'1'", "1"), ('"true"', "true"), ("!!str 5", "5"), ("!!int '5'", 5), ("!!float 5", 5.0),
    ],
)  # fmt: skip
def test_scalar(text: str, value: Any):
    text = "-x" if text == "-" else text
    found = plain(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_nan():
    assert math.isnan(plain("a: .nan")["a"])


def test_lines_are_those_of_the_keys():
    node = parse("a: 1\nb:\n  c: 2\n  d:\n    - x\n    - y\n", "r.yaml")
    assert str(node.find(("a",)).origin) == "r.yaml:1"
    assert str(node.find(("b",)).origin) == "r.yaml:2"
    assert str(node.find(("b", "c")).origin) == "r.yaml:3"
    assert str(node.find(("b", "d", 1)).origin) == "r.yaml:6"


def test_duplicate_keys_name_both_lines():
    with pytest.raises(RecipeError) as caught:
        plain("a: 1\nb: 2\na: 3\n")
    assert caught.value.where == "r.yaml:3"
    assert "duplicate key `a`, first on line 1" in caught.value.what


def test_all_duplicates_are_reported():
    with pytest.raises(ErrorList) as caught:
        plain("a: {x: 1, x: 2}\nb: 1\nb: 2\n")
    assert len(caught.value.errors) == 2


def test_numeric_and_quoted_spelling_of_a_key_are_the_same():
    with pytest.raises(RecipeError, match="duplicate"):
        plain("1: a\n'1': b\n")


def test_keys_are_text_as_written():
    assert plain("1: a\n0o7: b\ntrue: c\n") == {"1": "a", "0o7": "b", "true": "c"}


def test_anchor_and_merge_key():
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nuse: {<<: [*b, *m], x: 9}\ncopy: *b\n"
    found = plain(text)
    assert found["use"] == {"x": 9, "y": 2, "z": 4}
    assert found["copy"] == {"x": 1, "y": 2}
    node = parse(text, "r.yaml")
    assert str(node.find(("use", "z")).origin) == "r.yaml:2"


def test_quoted_merge_key_is_a_key():
    assert plain('"<<": 1') == {"<<": 1}


def test_merge_of_what_is_no_mapping():
    with pytest.raises(RecipeError, match="takes a mapping"):
        plain("a: {<<: 3}")


def test_alias_bomb_is_refused():
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 10):
        text += f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 10) + "]\n"
    with pytest.raises(RecipeError, match="too large"):
        plain(text)


def test_alias_within_itself_is_refused():
    with pytest.raises(RecipeError, match="contains itself"):
        plain("a: &a [1, *a]")


def test_deep_nesting_is_refused():
    with pytest.raises(RecipeError, match="too deep"):
        plain("a: " + "[" * 200 + "]" * 200)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1\nb: 2\n", 2),
        ("a:\n\t- b\n", 2),
        ("a: b: c\n", 1),
        ("a: *nothing\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
    ],
)
def test_broken_yaml_names_its_line(text: str, line: int):
    with pytest.raises(RecipeError, match="not valid YAML") as caught:
        plain(text)
    assert caught.value.where == f"r.yaml:{line}"


def test_control_character():
    with pytest.raises(RecipeError, match="not valid YAML"):
        plain("a: \x00")


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!own", "!!binary"])
def test_tags_are_refused(tag: str):
    with pytest.raises(RecipeError, match="is not allowed"):
        plain(f"a: {tag} 'ls'")


def test_list_as_key_is_refused():
    with pytest.raises(RecipeError, match="single word"):
        plain("? [a, b]\n: 1\n")


def test_variables():
    assert plain("a: ${HOME_DIR}/x", HOME_DIR="/h")["a"] == "/h/x"
    assert plain("a: ${N}", N="8")["a"] == 8
    assert plain("a: '${N}'", N="8")["a"] == "8"
    assert plain("a: ${N:-3}")["a"] == 3
    assert plain("a: ${N:-}")["a"] is None
    assert plain("a: $${N} and $N and ${0}")["a"] == "${N} and $N and ${0}"


def test_unset_variable_is_named_with_its_line():
    with pytest.raises(RecipeError) as caught:
        plain("a: 1\nb: ${DATA}/x\n")
    assert caught.value.where == "r.yaml:2"
    assert "DATA is not set" in caught.value.what


def test_value_of_an_override():
    node = parse_value("{a: [1, 2]}", OVERRIDE)
    assert node.plain() == {"a": [1, 2]}
    assert node.find(("a", 1)).origin == OVERRIDE
