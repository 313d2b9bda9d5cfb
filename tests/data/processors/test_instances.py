"""Instances: pixels against pycocotools, packing and the way back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from trainwright.data.geometry import Geometry
from trainwright.data.objects import Objects, RunLengths
from trainwright.data.processors.instances import InstancesProcessor
from trainwright.data.processors.outlines import pixels_of
from trainwright.data.types import BadSample

SIZE = (40, 60)
SAME = Geometry(SIZE).place(*SIZE)
points = st.tuples(st.floats(-90, 150), st.floats(-50, 90))
polygon = st.lists(points, min_size=3, max_size=8).map(np.array)


@given(st.lists(polygon, min_size=1, max_size=3))
def test_polygons_are_filled_as_pycocotools_does(polygons):
    inside = [np.clip(p, (-SIZE[1], -SIZE[0]), (2 * SIZE[1], 2 * SIZE[0])) for p in polygons]
    expected = coco.decode(coco.merge(coco.frPyObjects([p.reshape(-1).tolist() for p in inside], *SIZE)))
    assert np.array_equal(pixels_of(tuple(inside), SAME, SIZE), expected)


def test_corners_far_away_cost_nothing_and_change_nothing_inside():
    far = np.array([[10.0, 5], [1e12, 5], [1e12, 30], [10, 30]])
    found = pixels_of((far,), SAME, SIZE)
    expected = np.zeros(SIZE, np.uint8)
    expected[5:30, 10:] = 1
    assert np.array_equal(found, expected)


def test_runs_and_masks_are_the_pixels_that_pycocotools_reads():
    mask = np.random.default_rng(0).random(SIZE) < 0.4
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    flat = np.concatenate([[0], mask.T.reshape(-1).astype(int), [-1]])
    counts, runs, value = 0, [], 0
    for pixel in flat[1:]:
        if pixel != value:
            runs.append(counts)
            counts, value = 0, pixel
        counts += 1
    segment = RunLengths(SIZE, np.array(runs))
    assert np.array_equal(pixels_of(segment, SAME, SIZE), coco.decode(packed))
    assert np.array_equal(pixels_of(mask, SAME, SIZE), mask)


def test_damaged_outlines_are_named():
    for segment, words in [
        (RunLengths(SIZE, np.array([3, 4])), "do not fill the picture"),
        (RunLengths(SIZE, np.array([-1, 2401])), "are negative"),
        (RunLengths((40, 61), np.array([2440])), "its mask is 40x61, the picture 40x60"),
        (np.zeros((3, 4), bool), "its mask is 3x4"),
        ((np.array([[1, np.nan], [3, 4], [5, 6]]),), "no pairs of numbers"),
    ]:
        with pytest.raises(BadSample, match=words):
            pixels_of(segment, SAME, SIZE)


def square(*corners, **rest) -> Objects:
    boxes = np.array([[x, y, x + 20, y + 10] for x, y in corners], float).reshape(-1, 4)
    outlines = tuple(
        (np.array([[x, y], [x + 20, y], [x + 20, y + 10], [x, y + 10]], float),) for x, y in corners
    )
    return Objects(SIZE, ("box",) * len(boxes), boxes, **({"segments": outlines} | rest))


def fitted(*pictures, size=SIZE, resize="stretch", **options) -> InstancesProcessor:
    processor = InstancesProcessor(**options)
    processor.follow(Geometry(size, resize))
    processor.fit(list(pictures))
    processor.survey(list(pictures))
    return processor


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
@pytest.mark.parametrize("size", [(40, 60), (33, 47), (80, 40)])
def test_a_mask_fills_its_box(size, resize):
    two = square((15, 5), (30, 20))
    processor = fitted(two, square(), size=size, resize=resize)
    batch = processor.to_tensor(torch.from_numpy(processor.encode_all([two, square()])))
    assert batch["masks"].shape == (2, 2, *size) and batch["masks"].dtype == torch.uint8
    assert batch["labels"].tolist() == [[0, 0], [-1, -1]]
    assert batch["masks"][1].sum() == 0
    for box, mask in zip(batch["boxes"][0], batch["masks"][0], strict=True):
        rows, columns = np.nonzero(mask.numpy())
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert found == pytest.approx(box.tolist(), abs=1.01)
        area = float((box[2] - box[0]) * (box[3] - box[1]))
        assert mask.sum() == pytest.approx(area, rel=0.15)


def test_an_object_without_outline_is_bad_or_its_box():
    bare = square((0, 0), segments=())
    with pytest.raises(BadSample, match="object 0 has no outline; set outline: box"):
        fitted(bare).encode(bare)
    processor = fitted(bare, outline="box")
    masks = processor.to_tensor(torch.from_numpy(processor.encode(bare))[None])["masks"]
    assert masks.sum() == 200 and masks[0, 0, :10, :20].all()


def test_decode_gives_back_masks_of_the_original_size():
    two = square((15, 5), (30, 20))
    processor = fitted(two, size=(80, 120))
    restored = InstancesProcessor.from_state(json.loads(json.dumps(processor.state())))
    stored = torch.from_numpy(restored.encode(two))
    value = {name: t[0] for name, t in restored.to_tensor(stored[None]).items()}
    found = restored.decode(value, size=SIZE)
    np.testing.assert_allclose(found.boxes, two.boxes, atol=1e-4)
    for segment, original in zip(found.segments, two.segments, strict=True):
        assert np.array_equal(segment, pixels_of(original, SAME, SIZE))
    assert processor.decode(value).segments[0].shape == (80, 120)
