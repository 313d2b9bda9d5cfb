"""Boxes: the rules by hand, and back to names and original pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.geometry import Geometry
from trainwright.data.objects import Objects
from trainwright.data.processors.boxes import BoxesProcessor
from trainwright.data.types import BadSample


def picture(*boxes, labels=None, size=(100, 200), **rest) -> Objects:
    labels = labels or ("cat",) * len(boxes)
    return Objects(size, tuple(labels), np.array(boxes, float).reshape(-1, 4), **rest)


def fitted(*pictures, size=(50, 50), resize="stretch", **options) -> BoxesProcessor:
    processor = BoxesProcessor(**options)
    processor.follow(Geometry(size, resize))
    processor.fit(list(pictures))
    processor.told = processor.survey(list(pictures))
    return processor


TWO = picture([20, 10, 60, 30], [0, 0, 200, 100], labels=("dog", "cat"))


def test_boxes_are_scaled_and_padded():
    processor = fitted(TWO, picture([1, 2, 30, 40]), picture())
    assert processor.encode(TWO).tolist() == [[5, 5, 15, 15, 1], [0, 0, 50, 50, 0]]
    assert processor.encode(picture()).tolist() == [[0, 0, 0, 0, -1]] * 2
    assert processor.classes == ["cat", "dog"]
    assert processor.counts == [2, 1]
    spec = processor.spec()
    assert (spec.type, spec.shape, spec.classes, spec.counts) == ("boxes", (2, 4), ("cat", "dog"), (2, 1))


def test_a_batch_is_boxes_and_labels():
    processor = fitted(TWO)
    stored = torch.from_numpy(processor.encode_all([TWO, picture()]))
    batch = processor.to_tensor(stored)
    assert batch["boxes"].shape == (2, 2, 4) and batch["boxes"].dtype == torch.float32
    assert batch["labels"].tolist() == [[1, 0], [-1, -1]] and batch["labels"].dtype == torch.int64


def test_the_crop_clips_and_leaves_out_what_it_cuts_away():
    processor = fitted(picture([0, 0, 40, 40], [60, 0, 100, 100], [50.5, 3, 51.9, 40]), resize="crop")
    # The middle 100 columns of 200 remain, at half their size.
    assert processor.encode(picture([40, 0, 100, 100])).tolist()[0] == [0, 0, 25, 50, 0]
    assert processor.encode(picture([0, 0, 49, 40])).tolist()[0][4] == -1
    assert processor.capacity == 1
    assert processor.told == ["2 boxes: less than 1 pixels wide or high after clipping, left out"]


def test_everything_left_out_or_clipped_is_counted():
    bad = picture(
        [-5, 10, 30, 40], [50, 50, 50, 80], [60, 60, 40, 80], [0, 0, 90, 90], [300, 10, 400, 60],
        crowd=np.array([False, False, False, True, False]),
    )  # fmt: skip
    processor = fitted(bad)
    assert sorted(processor.told) == [
        "1 boxes: stand for a crowd, left out",
        "2 boxes: reach out of their picture and are clipped",
        "3 boxes: less than 1 pixels wide or high after clipping, left out",
    ]
    assert processor.encode(bad).tolist() == [[0, 5, 7.5, 20, 0]]
    kept = fitted(bad, crowd="keep")
    assert kept.encode(bad).tolist()[1] == [0, 0, 22.5, 45, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_coordinate_that_is_no_number_makes_a_bad_sample(value):
    processor = fitted(TWO)
    with pytest.raises(BadSample, match=r"the box of a\.txt:3 is \[20\.0, 10\.0, (nan|inf|-inf), 30\.0\]"):
        processor.encode(picture([20, 10, value, 30], names=("a.txt:3",)))


def test_unknown_classes_are_named_or_left_out():
    strange = picture([0, 0, 20, 20], [0, 0, 50, 50], labels=("dgo", "cat"), names=("first", "second"))
    with pytest.raises(BadSample, match=r"first: class 'dgo' is not among .* did you mean 'dog'"):
        fitted(TWO).encode(strange)
    processor = fitted(TWO, others="drop")
    assert processor.survey([strange]) == ["1 boxes: of other classes, left out"]
    assert processor.encode(strange)[0].tolist() == [0, 0, 12.5, 25, 0]


def test_what_is_no_annotation_or_does_not_fit_is_bad():
    processor = fitted(picture([0, 0, 20, 20]))
    with pytest.raises(BadSample, match="a str is no annotation"):
        processor.encode("cat")
    with pytest.raises(BadSample, match="2 objects where 1 are the most"):
        processor.encode(picture([0, 0, 20, 20], [0, 0, 30, 30]))
    with pytest.raises(BadSample, match="1 boxes for 2 objects"):
        processor.encode(Objects((10, 10), ("cat", "cat"), np.zeros((1, 4))))


def test_the_capacity_grows_with_later_rows_and_nothing_is_learned_from_them():
    processor = fitted(TWO)
    processor.survey([picture(*[[0, 0, 20, 20]] * 5)])
    assert processor.encode(TWO).shape == (5, 5)
    assert processor.counts == [1, 1]


@given(
    st.lists(
        st.tuples(st.floats(0, 150), st.floats(0, 60), st.floats(12, 40), st.floats(12, 40)), max_size=6
    ),
    st.sampled_from(["stretch", "letterbox"]),
)
def test_decode_gives_back_the_original_boxes(corners, resize):
    boxes = [[x, y, x + w, y + h] for x, y, w, h in corners]
    objects = picture(*boxes, labels=tuple("dog" if place % 2 else "cat" for place in range(len(boxes))))
    processor = fitted(TWO, objects, size=(64, 48), resize=resize)
    value = {
        name: t[0]
        for name, t in processor.to_tensor(torch.from_numpy(processor.encode(objects))[None]).items()
    }
    found = processor.decode(value, size=(100, 200))
    assert found.labels == objects.labels
    np.testing.assert_allclose(found.boxes, objects.boxes, atol=1e-3)


def test_decode_knows_scores_and_processed_pixels():
    processor = fitted(TWO)
    value = {
        "boxes": np.array([[5.0, 5, 15, 15], [0, 0, 0, 0]]),
        "labels": np.array([1, -1]),
        "scores": np.array([0.5, 0]),
    }
    found = processor.decode(value)
    assert (found.size, found.labels, found.boxes.tolist()) == ((50, 50), ("dog",), [[5, 5, 15, 15]])
    assert found.extra["score"].tolist() == [0.5]


def test_a_restored_processor_encodes_alike():
    processor = fitted(TWO, resize="letterbox")
    state = json.loads(json.dumps(processor.state()))
    restored = BoxesProcessor.from_state(state)
    assert np.array_equal(restored.encode(TWO), processor.encode(TWO))
    assert restored.state() == processor.state()


def test_classes_that_the_source_names_are_known_without_an_object_in_training():
    processor = BoxesProcessor()
    processor.name_classes(["zebra", "cat", "banana"])
    processor.follow(Geometry((50, 50), "stretch"))
    processor.fit([TWO])
    processor.survey([TWO, picture([0, 0, 40, 40], labels=("banana",))])
    assert (processor.classes, processor.counts) == (["zebra", "cat", "banana", "dog"], [0, 1, 0, 1])
    again = BoxesProcessor.from_state(json.loads(json.dumps(processor.state())))
    assert again.encode(picture([0, 0, 40, 40], labels=("banana",)))[0].tolist() == [0, 0, 10, 20, 2]


def test_classes_that_are_given_stand_above_those_that_the_source_names():
    processor = BoxesProcessor(classes=["dog", "cat"])
    processor.name_classes(["zebra"])
    processor.fit([TWO])
    assert processor.classes == ["dog", "cat"]


def test_decoded_boxes_end_at_the_borders_of_the_picture_not_of_its_padding():
    # 100 x 200 pixels go into the middle of 100 x 100: half as large, with 25 rows of padding on either side.
    processor = fitted(TWO, picture([0, 0, 200, 100]), size=(100, 100), resize="letterbox")
    value = {
        "boxes": np.array([[10.0, 5, 30, 45], [10, 0, 30, 25], [0, 30, 100, 90], [0, 0, 0, 0]]),
        "labels": np.array([1, 1, 0, -1]),
        "scores": np.array([0.9, 0.8, 0.7, 0]),
    }
    found = processor.decode(value, size=(100, 200))
    np.testing.assert_allclose(found.boxes, [[20, 0, 60, 40], [0, 10, 200, 100]], atol=1e-9)
    assert (found.labels, found.extra["score"].tolist()) == (("dog", "cat"), [0.9, 0.7])
