"""Arrays, files of arrays and datasets as sources."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from trainwright.data.sources.arrays import ArraysSource
from trainwright.data.sources.dataset import DatasetSource
from trainwright.errors import DataError

X, Y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2


def test_splits_by_the_names_of_arrays(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=X[:4], y_train=Y[:4], x_test=X[4:], y_test=Y[4:])
    source = ArraysSource(path=str(tmp_path / "d.npz"))
    assert source.columns == {"x": "number", "y": "category"}
    assert np.array_equal(source.column("x"), X)
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {
        "train": [0, 1, 2, 3],
        "test": [4, 5],
    }
    assert source.files() == [tmp_path / "d.npz"]


def test_plain_archives_files_and_folders_of_files(tmp_path):
    np.savez_compressed(tmp_path / "d.npz", x=X, y=Y)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    for path in (tmp_path / "d.npz", tmp_path):
        source = ArraysSource(path=str(path))
        assert np.array_equal(source.column("x"), X) and np.array_equal(source.column("y"), Y)
        assert source.splits() is None
    assert list(ArraysSource(path=str(tmp_path / "x.npy")).columns) == ["x"]


def test_files_with_python_objects_run_no_code(tmp_path):
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", o=np.array([{"a": 1}], dtype=object))
    for name in ("o.npy", "o.npz"):
        with pytest.raises(DataError, match="cannot be read") as error:
            ArraysSource(path=str(tmp_path / name))
        assert "Python objects" in error.value.fix


@pytest.mark.parametrize("content", [b"", b"not an array", b"PK\x03\x04 half an archive"])
@pytest.mark.parametrize("name", ["d.npz", "d.npy"])
def test_damaged_files_are_named(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        ArraysSource(path=str(tmp_path / name))
    assert name in error.value.where


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": X, "y": Y[:3]}, "equally many"),
        ({"x": X, "a": np.array(3.0)}, "a: a single value, not a column"),
        ((X[:0], Y[:0]), "must have rows"),
        ({}, "must have rows"),
        (5, "neither"),
        ((X, 5), "no array or list"),
        ({"train": (X, Y), "test": {"x": X}}, "every split needs x, y"),
        (None, "no data"),
    ],
)
def test_data_that_are_no_table(data, message):
    with pytest.raises(DataError) as error:
        ArraysSource(data)
    assert message in str(error.value)


def test_roles():
    columns = {
        "image": np.zeros((3, 4, 4), dtype=np.uint8),
        "vector": np.zeros((3, 4)),
        "number": np.array([0.1, 0.2, 0.3]),
        "label": np.array([0, 1, 0]),
        "word": ["a", "b", "a"],
        "value": [0.1, 0.2, 0.3],
        "tensor": torch.zeros(3, 1, 4, 4),
    }
    assert ArraysSource(columns).columns == {
        "image": "image",
        "vector": "number",
        "number": "number",
        "label": "category",
        "word": "category",
        "value": "number",
        "tensor": "image",
    }


def test_a_data_frame():
    source = ArraysSource(pd.DataFrame({"a": [1.5, 2.5], "b": ["u", "v"]}))
    assert source.columns == {"a": "number", "b": "category"}
    assert list(source.column("b")) == ["u", "v"]


class Pairs(torch.utils.data.Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def test_datasets_of_pairs_mappings_and_pictures():
    pairs = DatasetSource(Pairs([(torch.full((2,), float(n)), n % 2) for n in range(4)]))
    assert pairs.column("x").tolist() == [[n, n] for n in range(4)]
    assert pairs.column("y").tolist() == [0, 1, 0, 1]
    named = DatasetSource(Pairs([{"a": 1, "b": "u"}, {"a": 2, "b": "v"}]))
    assert named.column("a").tolist() == [1, 2] and list(named.column("b")) == ["u", "v"]
    sizes = [(4, 5), (6, 7)]
    pictures = DatasetSource(
        Pairs([(Image.new("RGB", size), "a") for size in sizes]), columns=["image", "label"]
    )
    assert [picture.size for picture in pictures.column("image")] == sizes
    assert pictures.columns == {"image": "image", "label": "category"}
    split = DatasetSource({"train": Pairs([(1.0, 0), (2.0, 1)]), "val": Pairs([(3.0, 0)])})
    assert split.splits()["val"].tolist() == [2]


@pytest.mark.parametrize(
    ("items", "message"),
    [([], "empty"), ([5], "neither"), ([{"a": 1}, {"b": 1}], "item 1 has parts b")],
)
def test_datasets_that_are_refused(items, message):
    with pytest.raises(DataError, match=message):
        DatasetSource(Pairs(items))
