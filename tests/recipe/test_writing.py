from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from trainwright.recipe.nodes import OVERRIDE
from trainwright.recipe.writing import emit, emit_unexpanded, flow
from trainwright.recipe.yaml12 import parse, parse_value

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=5))
def test_what_is_written_reads_back(value: dict[str, Any]):
    text = emit(value) if value else "{}"
    assert parse(text, "r.yaml", {}).plain() == value


@given(
    st.dictionaries(st.text(min_size=1).filter(lambda key: "${" not in key), SCALARS, min_size=1, max_size=5)
)
def test_readers_of_yaml_1_1_agree(value: dict[str, Any]):
    value = {key: item for key, item in value.items() if not (isinstance(item, str) and "${" in item)}
    assert (yaml.safe_load(emit(value)) or {}) == value


@given(VALUES)
def test_flow_reads_back(value: Any):
    assert parse_value(flow(value), OVERRIDE, {}).plain() == value


@given(st.text())
def test_variables_stay_text(name: str):
    value = {"a": "${HOME}" + name + "$${X}", "${KEY}": 1}
    assert parse(emit(value), "r.yaml", {}).plain() == value


def test_layout():
    value = {"a": {"b": [1, 2.0], "c": []}, "d": [{"e": 1, "f": [{"g": None}]}, "on"]}
    text = emit(value, lambda path: "here" if path == ("a", "b") else "")
    assert text == (
        "a:\n  b: [1, 2.0]  # here\n  c: []\nd:\n  - e: 1\n    f:\n      - g: null\n  - \"on\"\n"
    )  # fmt: skip


def test_small_numbers_are_numbers_for_every_reader():
    assert flow(1e-05) == "1.0e-05"
    assert yaml.safe_load(flow(1e-05)) == 1e-05


def test_variables_that_are_still_to_be_expanded():
    text = emit_unexpanded({"a": "${X}/b", "c": "$${X}", "d": ["${Y:-1}"]})
    assert parse(text, "r.yaml", {"X": "x"}).plain() == {"a": "x/b", "c": "${X}", "d": ["1"]}
