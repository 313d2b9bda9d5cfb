"""What `fit` makes of values in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trainwright import recipe
from trainwright.errors import DataError, RecipeError
from trainwright.workflows.fitting import recipe_for


def columns(X, y=None):
    made, data = recipe_for(X, y, model="mlp", validation=0.1, name="fit")
    recipe.load(made)  # a valid recipe
    return made["data"]["inputs"], made["data"]["targets"], data


@pytest.mark.parametrize(
    ("shape", "kind"), [((6, 4), "number"), ((6,), "number"), ((6, 8, 8), "image"), ((6, 8, 8, 3), "image")]
)
def test_arrays(shape, kind):
    inputs, targets, data = columns(np.zeros(shape), np.arange(6))
    assert inputs == {"x": {"type": kind}} and targets == {"y": {"type": "category"}}
    assert data["x"].shape == shape


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.arange(6), "category"),
        (["a", "b"] * 3, "category"),
        (np.array([True, False] * 3), "category"),
        (np.linspace(0, 1, 6), "number"),
        (np.zeros((6, 2)), "number"),
    ],
)
def test_targets(y, kind):
    assert columns(np.zeros((6, 4)), y)[1] == {"y": {"type": kind}}


def test_data_frame_with_the_target_among_its_columns():
    frame = pd.DataFrame({"a": [1.0, 2.0], "kind": ["x", "y"], "b": [1, 2], "price": [0.5, 1.5]})
    inputs, targets, data = columns(frame, "price")
    assert inputs == {"numbers": {"type": "number", "columns": ["a", "b"]}, "kind": {"type": "category"}}
    assert targets == {"price": {"type": "number"}} and list(data) == ["a", "kind", "b", "price"]


def test_data_frame_with_its_target_apart():
    inputs, targets, data = columns(pd.DataFrame({"kind": ["x", "y"]}), pd.Series(["u", "v"]))
    assert inputs == {"kind": {"type": "category"}} and targets == {"y": {"type": "category"}}
    assert data["y"].tolist() == ["u", "v"]


class Pairs:
    def __init__(self, *items: object) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> object:
        return self.items[index]


def test_dataset_is_described_by_its_first_item():
    inputs, targets, data = columns(Pairs((np.zeros((3, 8, 8)), 1), (np.zeros((3, 8, 8)), 0)))
    assert inputs == {"x": {"type": "image"}} and targets == {"y": {"type": "category"}}
    assert isinstance(data, Pairs)
    assert columns(Pairs((np.zeros(4), 0.5)))[:2] == ({"x": {"type": "number"}}, {"y": {"type": "number"}})


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((3, 2)), np.zeros(4), "3 rows and y has 4"),
        (np.zeros((3, 2)), None, "needs its targets"),
        (np.zeros((3, 2, 2, 2, 2)), np.zeros(3), "neither pictures nor numbers"),
        (pd.DataFrame({"a": [1]}), "b", "no column 'b'"),
        (pd.DataFrame({"a": [1]}), None, "target is not given"),
        (pd.DataFrame({"y": [1]}), [1], "already"),
        (pd.DataFrame({"a": [1]}), [1, 2], "1 rows and y has 2"),
        (Pairs(), None, "cannot train on a Pairs"),
        (Pairs((1, 2, 3)), None, "is not (x, y)"),
        (5, None, "cannot train on a int"),
    ],
)
def test_what_cannot_be_fitted(X, y, message):
    with pytest.raises(DataError) as caught:
        columns(X, y)
    assert message in str(caught.value)


def test_a_module_object_is_refused_with_the_way_to_name_it():
    with pytest.raises(RecipeError, match="module:attribute"):
        recipe_for(np.zeros((6, 4)), np.arange(6), model=object(), validation=0.1, name="fit")
