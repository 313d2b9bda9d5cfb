"""Matrices of pictures without their zeros, there and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainwright.inference.predictions import read_predictions, write_predictions
from trainwright.metrics.sparse_confusion import Confusions, written


def matrices(seed, pictures, classes):
    draw = np.random.default_rng(seed)
    shape = (pictures, classes, classes)
    return draw.integers(1, 1 << 20, shape) * (draw.random(shape) < 0.2)


@given(seed=st.integers(0, 99), pictures=st.integers(1, 5), classes=st.integers(1, 6))
def test_sums_are_those_of_the_whole_matrices(seed, pictures, classes):
    whole = matrices(seed, pictures, classes)
    pairs = Confusions.read(written(whole), classes)
    np.testing.assert_array_equal(pairs.whole(), whole.sum(axis=0))
    right, true, predicted = pairs.per_class()
    np.testing.assert_array_equal(right, whole.diagonal(axis1=1, axis2=2))
    np.testing.assert_array_equal(true, whole.sum(axis=2))
    np.testing.assert_array_equal(predicted, whole.sum(axis=1))


def test_a_file_of_many_classes_is_as_small_as_what_its_pictures_show(tmp_path):
    whole = np.zeros((40, 150, 150), np.int32)
    whole[:, 3, 3], whole[::2, 3, 149] = 9000, 17
    told = written(whole)
    assert told[0] == [453, 9000, 599, 17] and told[1] == [453, 9000]
    path = tmp_path / "predictions.parquet"
    write_predictions(path, {"sample": [str(row) for row in range(40)], "mask_confusion": told})
    assert path.stat().st_size < 10_000
    back = Confusions.read(read_predictions(path)["mask_confusion"], 150)
    np.testing.assert_array_equal(back.whole(), whole.sum(axis=0))
    assert back.samples == 40


def test_pictures_without_a_labelled_pixel_have_none():
    pairs = Confusions.read(written(np.zeros((2, 3, 3), np.int64)), 3)
    assert not pairs.whole().any()
    assert pairs.per_class()[0].shape == (2, 3)
