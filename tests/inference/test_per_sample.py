"""Values per sample, whose means are the metrics of the split."""

from __future__ import annotations

import numpy as np
import pytest

from trainwright.inference.per_sample import sample_scores
from trainwright.inference.predictions import Predictions


def scores(columns, type):
    found = sample_scores(Predictions({"sample": ["a", "b", "c"], **columns}, {}), "y", type)
    return {score.name: score for score in found}


def test_a_category():
    found = scores(
        {
            "y": ["cat", "dog", None],
            "y_predicted": ["cat", "cat", "cat"],
            "y_probability": np.ones(3),
            "y_loss": np.array([0.5, 1.5, np.nan]),
        },
        "category",
    )
    assert list(found) == ["accuracy", "loss"]
    np.testing.assert_array_equal(found["accuracy"].values, [1, 0, np.nan])
    assert found["accuracy"].whole == 0.5 and found["loss"].whole == 1.0


def test_numbers():
    found = scores({"y": np.array([0.0, 0, 0]), "y_predicted": np.array([1.0, -2, 2])}, "number")
    assert {name: score.whole for name, score in found.items()} == pytest.approx(
        {"mae": 5 / 3, "mse": 3.0, "rmse": 3**0.5}
    )


def test_sets_of_categories():
    found = scores({"y": [["a"], ["a", "b"], []], "y_predicted": [["a"], ["b", "a"], ["c"]]}, "categories")
    assert found["exact_match"].whole == pytest.approx(2 / 3)


def test_objects_have_no_values_per_sample():
    assert scores({"y": [[], [], []], "y_predicted": [[], [], []]}, "boxes") == {}
