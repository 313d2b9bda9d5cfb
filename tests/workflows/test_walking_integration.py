import numpy as np
import pytest

from trainwright.errors import UserError
from trainwright.workflows.walking import walk_data

RNG = np.random.default_rng(0)


def recipe(**data):
    return {
        "name": "walk",
        "data": {
            "source": {"name": "arrays"},
            "inputs": {"x": {"type": "number", "normalise": "none"}},
            "targets": {"y": {"type": "category"}},
            "split": {"val": 0.25},
        }
        | data,
        "model": {"name": "mlp"},
        "train": {"batch_size": 8},
    }


def test_every_split_is_walked_once_with_shapes_types_and_ranges():
    x = RNG.integers(-50, 50, (40, 3)).astype(np.float32)
    walk = walk_data(recipe(), data={"x": x, "y": np.arange(40) % 2})
    assert [(split.name, split.samples, split.batches) for split in walk.splits] == [
        ("train", 30, 4),
        ("val", 10, 2),
    ]
    columns = [split.columns["x"] for split in walk.splits]
    assert [column.shape for column in columns] == [(8, 3), (8, 3)]
    assert (min(c.low for c in columns), max(c.high for c in columns)) == (x.min(), x.max())
    assert walk.splits[0].columns["y"].dtype == "int64"
    assert all(split.rate > 0 for split in walk.splits)


def test_errors_of_the_data_stop_the_walk_too():
    with pytest.raises(UserError, match="all the same"):
        walk_data(
            recipe(targets={"y": {"type": "number"}}), data={"x": RNG.normal(size=(40, 3)), "y": np.ones(40)}
        )
