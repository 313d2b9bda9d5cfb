"""Boxes in space: what is stored, what is left out, and back to metres and original pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from trainwright.data.geometry import Geometry
from trainwright.data.objects import Objects
from trainwright.data.processors.boxes3d import Boxes3dProcessor
from trainwright.data.types import BadSample
from trainwright.errors import DataError

CAMERA = np.array([[100.0, 0, 100, 5], [0, 100, 50, 0], [0, 0, 1, 0.01]])
NEAR, FAR = [-1.0, 1, 10, 1.5, 1.6, 4, 0.3], [2.0, 1, 40, 1.5, 2.0, 5, -2]


def picture(*space, labels=None, camera=CAMERA, size=(100, 200), **rest) -> Objects:
    count = len(space)
    boxes = np.tile([20.0, 10, 60, 30], (count, 1))
    extra = {"box3d": np.array(space, float).reshape(-1, 7)}
    return Objects(size, tuple(labels or ("car",) * count), boxes, projection=camera, extra=extra, **rest)


def fitted(*pictures, size=(50, 50), resize="stretch", **options) -> Boxes3dProcessor:
    processor = Boxes3dProcessor(**options)
    processor.follow(Geometry(size, resize))
    processor.fit(list(pictures))
    processor.told = processor.survey(list(pictures))
    return processor


def test_the_camera_sees_the_same_in_the_processed_image():
    processor = fitted(picture(NEAR, FAR))
    parts = processor.to_tensor(torch.from_numpy(processor.encode(picture(NEAR)))[None])
    assert parts["boxes"].tolist() == [[[5, 5, 15, 15], [0, 0, 0, 0]]]
    assert parts["labels"].tolist() == [[0, -1]]
    np.testing.assert_allclose(parts["boxes3d"][0, 0], NEAR, rtol=1e-6)
    before, after = (matrix @ [*NEAR[:3], 1] for matrix in (CAMERA, parts["projection"][0, 1].numpy()))
    # A quarter of the width, half of the height; padding knows the camera, too.
    np.testing.assert_allclose(after[:2] / after[2], before[:2] / before[2] * (0.25, 0.5), rtol=1e-6)


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
def test_back_to_metres_and_original_pixels(resize):
    processor = fitted(picture(NEAR, FAR), resize=resize)
    parts = processor.to_tensor(torch.from_numpy(processor.encode(picture(NEAR, FAR)))[None])
    there = processor.decode({name: part[0] for name, part in parts.items()}, (100, 200))
    np.testing.assert_allclose(there.extra["box3d"], [NEAR, FAR], rtol=1e-6)
    np.testing.assert_allclose(there.projection, CAMERA, rtol=1e-4, atol=1e-3)
    # Without a camera of its own, a picture is taken for one of the training pictures' camera.
    del parts["projection"]
    bare = processor.decode({name: part[0] for name, part in parts.items()}, (100, 200))
    np.testing.assert_allclose(bare.projection, CAMERA, rtol=1e-4, atol=1e-3)


def test_common_sizes_and_depth_are_learned_from_what_has_a_place():
    nowhere = [np.nan] * 7
    processor = fitted(
        picture(NEAR, FAR, nowhere, labels=("car", "bus", "car")), classes=["car", "bus", "cat"]
    )
    space = processor.spec().space
    assert space.depth == pytest.approx(20.0)
    np.testing.assert_allclose(space.sizes, [NEAR[3:6], FAR[3:6], [1.5, 1.8, 4.5]])
    np.testing.assert_allclose(np.reshape(space.camera, (3, 4))[0], CAMERA[0] / 4, rtol=1e-9)
    again = Boxes3dProcessor.from_state(json.loads(json.dumps(processor.state())))
    assert again.spec() == processor.spec()


def test_what_has_no_place_in_front_of_the_camera_is_left_out_and_counted():
    behind = [0.0, 1, -3, 1, 1, 1, 0]
    processor = fitted(picture(NEAR, [np.nan] * 7, behind))
    assert processor.capacity == 1
    assert sorted(processor.told) == [
        "1 boxes3d: behind the camera, left out",
        "1 boxes3d: without a box in space, left out",
    ]


def test_boxes_that_are_none_are_named():
    flat = [0.0, 1, 10, 0, 1, 1, 0]
    processor = fitted(picture(NEAR))
    with pytest.raises(BadSample, match=r"b.txt:3: height, width and length are 0, 1, 1 m"):
        processor.encode(picture(flat, names=("b.txt:3",)))
    with pytest.raises(BadSample, match="projection of its camera"):
        processor.encode(picture(NEAR, camera=None))
    plain = Objects((100, 200), ("car",), np.array([[0.0, 0, 9, 9]]))
    with pytest.raises(BadSample, match="no boxes in space"):
        processor.encode(plain)
    with pytest.raises(DataError, match="no object of the training split"):
        fitted(plain)


def test_a_picture_without_objects_is_background():
    processor = fitted(picture(NEAR))
    stored = processor.encode(picture())
    assert stored.shape == (1, 24) and stored[0, 4] == -1 and stored[0, 12] == CAMERA[0, 0] / 4
    assert processor.encode(picture(camera=None))[0, 12] == CAMERA[0, 0] / 4
