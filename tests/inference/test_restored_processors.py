"""A processor that would answer otherwise after it was saved is refused before a training."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from trainwright.data.prepare import prepare
from trainwright.data.processors.number import NumberProcessor
from trainwright.data.types import PreparedData
from trainwright.errors import DataError
from trainwright.inference.restored_processors import check_processors
from trainwright.recipe import load

WHERE = "data.inputs.x"


class Forgetting(NumberProcessor):
    """Does not save what it has learned."""

    def fitted(self) -> dict[str, Any]:
        """Less than there is."""
        return {**super().fitted(), "offset": [0.0]}


class Unsaved(NumberProcessor):
    """Saves what is no JSON."""

    def fitted(self) -> dict[str, Any]:
        """With a set."""
        return {"low": {1}}


class Renamed(NumberProcessor):
    """Comes back with another parameter than it had."""

    def parameters(self) -> dict[str, Any]:
        """Always the same rule."""
        return {**super().parameters(), "normalise": "log"}


def data(kind: str, tmp_path: Any, **options: Any) -> PreparedData:
    recipe = load(
        {
            "name": "a",
            "data": {
                "source": "iris",
                "inputs": {"x": {"type": kind, "column": "petal_width", **options}},
                "targets": {"species": "category"},
                "split": {"val": 0.2},
            },
            "model": "mlp",
        }
    ).recipe
    return prepare(recipe.data, cache_dir=tmp_path, workers=0)


def test_processors_that_ship_are_restored(tmp_path):
    prepared = data("number", tmp_path, normalise="robust")
    before = {name: item.state() for name, item in prepared.inputs.items()}
    check_processors(prepared)
    assert {name: item.state() for name, item in prepared.inputs.items()} == before


@pytest.mark.parametrize(
    ("kind", "why"),
    [("Forgetting", "another value"), ("Unsaved", "not JSON serializable"), ("Renamed", "another value")],
)
def test_a_processor_that_is_another_after_saving_is_refused(kind: str, why: str, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "saved_processors", sys.modules[__name__])
    with pytest.raises(DataError, match="not the same after it was saved") as caught:
        check_processors(data(f"saved_processors:{kind}", tmp_path), users_only=True)
    assert caught.value.where == WHERE and why in caught.value.why


def test_a_value_that_cannot_be_read_is_left_to_others(tmp_path):
    prepared = data("number", tmp_path)
    prepared.columns[0].values = np.array(["no number"] * 150, dtype=object)
    check_processors(prepared)
    assert len(prepared.columns) == 2
