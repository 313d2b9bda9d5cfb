"""Saved datasets of Hugging Face: columns, names of classes, splits, pictures."""

import numpy as np
import pytest
from PIL import Image

from trainwright.data.sources.huggingface import HuggingFaceSource
from trainwright.errors import DataError

datasets = pytest.importorskip("datasets")


@pytest.fixture
def saved(tmp_path):
    picture = Image.fromarray(np.full((4, 5, 3), 7, dtype=np.uint8))
    features = datasets.Features(
        {
            "x": datasets.Value("float32"),
            "word": datasets.Value("string"),
            "kind": datasets.ClassLabel(names=["cat", "dog"]),
            "picture": datasets.Image(),
        }
    )

    def part(count: int):
        rows = {
            "x": [0.5 * n for n in range(count)],
            "word": ["a", None, "b"][:count],
            "kind": [1, 0, 1][:count],
        }
        return datasets.Dataset.from_dict({**rows, "picture": [picture] * count}, features=features)

    whole = datasets.DatasetDict({"train": part(3), "validation": part(2)})
    whole.save_to_disk(tmp_path / "both")
    whole["train"].save_to_disk(tmp_path / "one")
    return tmp_path


def test_columns_and_splits(saved):
    source = HuggingFaceSource(path=str(saved / "both"))
    assert source.columns == {"x": "number", "word": "category", "kind": "category", "picture": "image"}
    np.testing.assert_array_equal(source.column("x"), [0, 0.5, 1, 0, 0.5])
    assert list(source.column("word")) == ["a", None, "b", "a", None]
    assert list(source.column("kind")) == ["dog", "cat", "dog", "dog", "cat"]
    assert {name: rows.tolist() for name, rows in source.splits().items()} == {
        "train": [0, 1, 2],
        "val": [3, 4],
    }
    assert source.sample_names()[3] == "validation:0"
    assert (np.asarray(source.column("picture")[4]) == 7).all()
    assert source.files()


def test_one_part_has_no_splits(saved):
    source = HuggingFaceSource(path=str(saved / "one"))
    assert source.splits() is None and len(source) == 3 and source.sample_names()[2] == "2"


def test_a_folder_without_a_dataset(tmp_path):
    with pytest.raises(DataError, match="no saved dataset") as error:
        HuggingFaceSource(path=str(tmp_path))
    assert "save_to_disk" in error.value.fix
