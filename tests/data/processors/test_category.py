"""Categories: names to numbers and back, by the training split."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.processors.category import CategoryProcessor, natural_key
from trainwright.data.types import BadSample, RawFile, TensorSpec
from trainwright.errors import DataError, RecipeError

names = st.lists(st.text(min_size=1).filter(lambda text: text.strip()), min_size=1, max_size=20)


@given(names)
def test_every_fitted_name_comes_back(values):
    processor = CategoryProcessor()
    processor.fit(values)
    again = CategoryProcessor.from_state(json.loads(json.dumps(processor.state())))
    ids = again.encode_all(values)
    assert ids.dtype == np.int64
    assert [again.decode(id) for id in ids] == [value.strip() for value in values]
    assert again.spec() == processor.spec()
    assert sum(processor.counts) == len(values)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=50))
def test_integers_are_named_and_sorted_by_value(values):
    processor = CategoryProcessor()
    processor.fit(np.array(values))
    assert list(processor.classes) == [str(value) for value in sorted(set(values))]
    expected = [sorted(set(values)).index(value) for value in values]
    assert processor.encode_all(np.array(values)).tolist() == expected
    assert processor.counts == [values.count(value) for value in sorted(set(values))]


def test_integers_far_apart_and_unsigned_ones_work_too():
    processor = CategoryProcessor()
    values = np.array([2**63 + 5, 7, 2**63 + 5], dtype=np.uint64)
    processor.fit(values)
    assert processor.classes == ("7", str(2**63 + 5))
    assert processor.encode_all(values).tolist() == [1, 0, 1]


def test_natural_order():
    values = ["class10", "class2", "Class1", "2", "10", "apple"]
    assert sorted(values, key=natural_key) == ["2", "10", "apple", "Class1", "class2", "class10"]


def test_whole_floats_integers_and_their_texts_are_one_class():
    processor = CategoryProcessor()
    processor.fit([1, 2, 2])
    assert processor.encode_all([1.0, "2", np.int64(1), torch.tensor(2)]).tolist() == [0, 1, 0, 1]
    assert CategoryProcessor(classes=["True", "1"]).encode_all([True, 1]).tolist() == [0, 1]


@pytest.mark.parametrize("missing", [None, float("nan"), "", "  "])
def test_a_missing_class_is_a_bad_sample(missing):
    processor = CategoryProcessor()
    processor.fit(["a", "b", missing])
    assert processor.classes == ("a", "b")
    with pytest.raises(BadSample, match="missing"):
        processor.encode(missing)


def test_an_unknown_class_is_named_with_the_closest_one():
    processor = CategoryProcessor()
    processor.fit(["setosa", "virginica"])
    with pytest.raises(BadSample, match=r"'setsa' is not among the 2 classes .*did you mean 'setosa'"):
        processor.encode("setsa")


def test_given_classes_keep_their_order_and_count_zero():
    processor = CategoryProcessor(classes=["dog", "cat", "bird"])
    processor.fit(["cat", "cat", "dog"])
    assert processor.spec() == TensorSpec("category", (), "int64", ("dog", "cat", "bird"), (1, 2, 0))


def test_a_class_given_twice_is_refused():
    with pytest.raises(RecipeError, match="named twice"):
        CategoryProcessor(classes=["a", "a"])


def test_to_tensor_is_the_stored_values():
    stored = torch.tensor([0, 2, 1])
    assert CategoryProcessor().to_tensor(stored) is stored


def test_the_shares_of_a_mixed_sample_are_told_in_percent():
    processor = CategoryProcessor(classes=["cat", "dog", "cow"])
    assert processor.decode(np.array([0.3, 0.7, 0.0], np.float32)) == "dog 70%, cat 30%"


@pytest.mark.parametrize(
    ("rows", "gives"),
    [
        (np.zeros((3, 8, 8), np.uint8), r"\[8, 8\]"),
        ([np.zeros((8, 8)), np.ones((8, 8))], r"\[8, 8\]"),
        (torch.zeros(2, 3), r"\[3\]"),
        ([RawFile("a.png")], "RawFile"),
    ],
)
def test_a_column_of_pictures_is_no_category(rows, gives):
    with pytest.raises(DataError, match=f"one value per sample, this column gives {gives}"):
        CategoryProcessor().inspect(rows)


@pytest.mark.parametrize(
    "rows", [[], ["a"], [None], np.array([[2], [1]]), torch.tensor([1]), np.array(["a"])]
)
def test_one_value_each_may_be_a_category(rows):
    processor = CategoryProcessor()
    processor.inspect(rows)
    assert processor.classes == ()
