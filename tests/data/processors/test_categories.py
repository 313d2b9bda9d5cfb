"""Several classes a sample: what counts as a list, and against scikit-learn's MultiLabelBinarizer."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MultiLabelBinarizer

from trainwright.data.processors.categories import CategoriesProcessor
from trainwright.data.types import BadSample
from trainwright.errors import RecipeError


def fitted(values, **options) -> CategoriesProcessor:
    processor = CategoriesProcessor(**options)
    processor.inspect(values)
    processor.fit(values)
    return processor


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), min_size=1, max_size=20))
def test_rows_are_those_of_scikit_learn(values):
    reference = MultiLabelBinarizer()
    expected = reference.fit_transform(values)
    processor = fitted(values)
    assert processor.classes == reference.classes_.tolist()
    assert np.array_equal(processor.encode_all(values), expected)
    assert processor.counts == expected.sum(axis=0).tolist()
    decoded = [processor.decode(row) for row in processor.to_tensor(torch.from_numpy(expected))]
    assert decoded == [sorted(set(names)) for names in values]


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["red | blue", "blue", "red"], "|"),
        (["red; blue", "blue", "red"], ";"),
        (['["red", "blue"]', '["blue"]', '["red"]'], None),
        ([("red", "blue"), np.array(["blue"]), {"red"}], None),
        (["red;not|blue", "blue", "red"], "|"),
    ],
)
def test_a_list_may_be_written_in_several_ways(values, separator):
    processor = fitted(values)
    assert processor.separator == separator
    expected = [["blue", "red"], ["blue"], ["red"]]
    if "not" in str(values[0]):
        expected[0] = ["blue", "red;not"]
    assert [processor.decode(processor.encode(value)) for value in values] == expected


def test_no_class_and_no_value_are_different():
    processor = fitted(["a|b"])
    for none in ([], "[]", ()):
        assert processor.encode(none).tolist() == [0, 0]
    for missing in (None, float("nan"), "", "  "):
        with pytest.raises(BadSample, match="the classes are missing"):
            processor.encode(missing)
    assert fitted(["a|b"], missing="none").encode(None).tolist() == [0, 0]


def test_bad_values_are_named():
    processor = fitted(["cat|dog"])
    with pytest.raises(BadSample, match=r"class 'dgo' is not among the 2 .* did you mean 'dog'"):
        processor.encode("cat|dgo")
    with pytest.raises(BadSample, match="is not a JSON list"):
        processor.encode('["cat"')
    with pytest.raises(RecipeError, match="named twice"):
        CategoriesProcessor(classes=["a", "a"])
    with pytest.raises(RecipeError, match="separator is empty"):
        CategoriesProcessor(separator="")


def test_whole_numbers_are_names_and_sort_by_value():
    processor = fitted(["10,2", "2"], separator=",")
    assert processor.classes == ["2", "10"]
    assert fitted([3, [1, 3]]).encode(3).tolist() == [0, 1]


def test_a_restored_processor_encodes_alike():
    processor = fitted(["b;a", "c"], classes=["c", "b", "a"])
    restored = CategoriesProcessor.from_state(json.loads(json.dumps(processor.state())))
    assert restored.encode("b;a").tolist() == [0, 1, 1]
    assert restored.spec() == processor.spec()
    assert restored.spec().shape == (3,)
