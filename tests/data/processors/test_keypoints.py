"""Keypoints: where points land, which are seen, and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from trainwright.data.geometry import Geometry
from trainwright.data.objects import Keypoints, Objects
from trainwright.data.processors.keypoints import KeypointsProcessor
from trainwright.data.types import BadSample
from trainwright.errors import DataError

NAMES = ("nose", "left_eye", "right_eye")


def face(points, *, names=NAMES, size=(100, 200)) -> Objects:
    points = np.array(points, float).reshape(-1, len(names), 3)
    boxes = np.tile([0.0, 0, size[1], size[0]], (len(points), 1))
    return Objects(
        size, ("face",) * len(points), boxes, keypoints=Keypoints(points, names, (0, 2, 1), ((0, 1), (0, 2)))
    )


ONE = face([[100, 50, 2], [80, 40, 1], [1e9, np.nan, 0]])


def fitted(*pictures, resize="stretch", **options) -> KeypointsProcessor:
    processor = KeypointsProcessor(**options)
    processor.follow(Geometry((50, 50), resize))
    processor.fit(list(pictures))
    processor.told = processor.survey(list(pictures))
    return processor


def test_points_are_scaled_and_what_is_not_annotated_is_zero():
    processor = fitted(ONE)
    assert processor.encode(ONE).tolist() == [[0, 0, 50, 50, 0, 25, 25, 2, 20, 20, 1, 0, 0, 0]]
    assert processor.spec().shape == (1, 3, 3)
    assert (processor.names, processor.mirrored, processor.edges) == (
        list(NAMES),
        [0, 2, 1],
        [[0, 1], [0, 2]],
    )


def test_points_outside_of_the_crop_are_not_seen():
    found = fitted(ONE, resize="crop").encode(face([[49.9, 50, 2], [50, 50, 2], [150, 50, 2]]))
    assert found[0, 5:].reshape(3, 3).tolist() == [[0, 0, 0], [0, 25, 2], [0, 0, 0]]


def test_a_batch_has_three_parts():
    processor = fitted(face([[1, 1, 2]] * 6))
    batch = processor.to_tensor(torch.from_numpy(processor.encode_all([ONE, ONE, ONE])))
    assert {name: tuple(t.shape) for name, t in batch.items()} == {
        "boxes": (3, 2, 4),
        "labels": (3, 2),
        "points": (3, 2, 3, 3),
    }
    assert batch["labels"].tolist() == [[0, -1]] * 3


def test_objects_without_a_point_are_left_out_or_kept():
    empty = face([[[0, 0, 0]] * 3, [[3, 3, 2]] * 3])
    processor = fitted(empty)
    assert processor.capacity == 1
    assert processor.told == ["1 keypoints: without one annotated point, left out"]
    assert fitted(empty, unannotated="keep").capacity == 2


def test_bad_points_are_named():
    with pytest.raises(BadSample, match="a point of object 0 is not a number"):
        fitted(ONE).encode(face([[np.nan, 50, 2], [80, 40, 1], [0, 0, 0]]))
    with pytest.raises(BadSample, match="its 1 points are not the 3 of training"):
        fitted(ONE).encode(face([[3, 3, 2]], names=("nose",)))
    with pytest.raises(DataError, match="no object of the training split has keypoints"):
        fitted(Objects((10, 10), ("face",), np.array([[0.0, 0, 5, 5]])))


def test_decode_gives_back_names_and_original_pixels_also_after_a_restore():
    processor = fitted(ONE, resize="letterbox")
    restored = KeypointsProcessor.from_state(json.loads(json.dumps(processor.state())))
    value = {
        name: t[0] for name, t in restored.to_tensor(torch.from_numpy(restored.encode(ONE))[None]).items()
    }
    found = restored.decode(value, size=(100, 200))
    assert found.labels == ("face",)
    np.testing.assert_allclose(found.boxes, [[0, 0, 200, 100]], atol=1e-4)
    np.testing.assert_allclose(found.keypoints.points, [[[100, 50, 2], [80, 40, 1], [0, 0, 0]]], atol=1e-4)
    assert found.keypoints.names == NAMES


def test_a_picture_without_objects_has_padding_only():
    processor = fitted(ONE)
    empty = Objects((100, 200), (), np.zeros((0, 4)), keypoints=Keypoints(np.zeros((0, 3, 3)), NAMES))
    assert (processor.encode(empty)[:, 4] == -1).all()
