"""Scores of a split are strict JSON, whatever their values."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.errors import RunError
from trainwright.runs.scores import read_scores, write_scores


def strict(text):
    """The text as a parser reads it that knows no words for what JSON cannot hold."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@given(st.dictionaries(st.text(max_size=8), st.floats()))
def test_a_round_trip_through_strict_json(tmp_path_factory, scores):
    file = tmp_path_factory.mktemp("scores") / "metrics.json"
    write_scores(file, scores)
    assert strict(file.read_text()).keys() == scores.keys()
    found = read_scores(file)
    assert found.keys() == scores.keys()
    assert all(
        math.isnan(found[name]) if math.isnan(value) else found[name] == value
        for name, value in scores.items()
    )


def test_no_value_is_null(tmp_path):
    file = tmp_path / "metrics.json"
    write_scores(file, {"map": 0.5, "map_small": math.nan, "psnr": math.inf})
    assert strict(file.read_text()) == {"map": 0.5, "map_small": None, "psnr": "Infinity"}


def test_files_with_the_word_nan_are_read(tmp_path):
    file = tmp_path / "metrics.json"
    file.write_text('{"map": 0.5, "map_small": NaN, "note": "by hand", "parts": [1]}')
    found = read_scores(file)
    assert list(found) == ["map", "map_small"]
    assert math.isnan(found["map_small"])


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_damage_is_told(tmp_path, text):
    file = tmp_path / "metrics.json"
    file.write_text(text)
    with pytest.raises(RunError, match="evaluation cannot be read"):
        read_scores(file)
