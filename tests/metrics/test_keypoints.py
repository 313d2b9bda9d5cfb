"""Metrics of keypoints, by hand and against pycocotools."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.metrics.keypoint_similarity import COCO_SIGMAS, keypoint_similarity, point_sigmas
from trainwright.metrics.nme import nme
from trainwright.metrics.pck import pck, pck_interval

NAMES = TensorSpec("keypoints", (1, 3, 3), points=("left_eye", "right_eye", "nose"))


def columns(points, box=(0, 0, 40, 20)):
    """A target of one object per picture from `[N, K, 3]`."""
    values = torch.tensor(points, dtype=torch.float32)[:, None]
    boxes = torch.tensor(box, dtype=torch.float32).expand(len(values), 1, 4)
    return {"points": values, "boxes": boxes, "labels": torch.zeros(len(values), 1, dtype=torch.int64)}


TRUTH = columns([[[10, 10, 2], [20, 10, 1], [15, 15, 2]], [[5, 5, 2], [15, 5, 2], [0, 0, 0]]])
# Errors: 3, 0, 5 pixels; 0.5 and 8 pixels.
FOUND = columns([[[13, 10, 1], [20, 10, 1], [15, 20, 1]], [[5, 5.5, 1], [15, 13, 1], [9, 9, 1]]])


def test_points_near_enough_by_hand():
    # The longer side of the box is 40, a tenth of it 4 pixels; the last point is not annotated.
    assert pck(FOUND, TRUTH) == {"pck": pytest.approx(3 / 5)}
    assert pck(FOUND, TRUTH, threshold=0.125) == {"pck": pytest.approx(4 / 5)}
    assert nme(FOUND, TRUTH) == {"nme": pytest.approx((3 + 0 + 5 + 0.5 + 8) / 5 / 40)}


@pytest.mark.parametrize("between", [["left_eye", "right_eye"], [0, 1], ["1", "0"]])
def test_the_reference_may_be_the_distance_of_two_points(between):
    names = NAMES if between[0] == "left_eye" else None
    # The eyes are 10 pixels apart: a tenth of it is 1 pixel.
    assert pck(FOUND, TRUTH, names, between=between) == {"pck": pytest.approx(2 / 5)}
    assert nme(FOUND, TRUTH, names, between=between) == {"nme": pytest.approx(16.5 / 5 / 10)}


def test_an_object_without_reference_is_left_out():
    truth = {**TRUTH, "points": TRUTH["points"].clone()}
    truth["points"][1, 0, 0, 2] = 0
    assert pck(FOUND, truth, NAMES, between=["left_eye", "right_eye"])["pck"] == pytest.approx(1 / 3)


def test_nothing_annotated_gives_no_number():
    truth = {**TRUTH, "points": TRUTH["points"] * 0}
    assert math.isnan(pck(FOUND, truth)["pck"]) and math.isnan(nme(FOUND, truth)["nme"])
    assert all(math.isnan(end) for end in pck_interval(FOUND, truth))


def test_what_was_not_found_is_wrong():
    found = {**FOUND, "labels": torch.tensor([[0], [-1]])}
    assert pck(found, TRUTH)["pck"] == pytest.approx(2 / 5)
    assert nme(found, TRUTH)["nme"] == pytest.approx(8 / 3 / 40)


def test_each_true_object_is_compared_with_the_nearest_found_one():
    joined = {name: torch.cat([value[1:], value[:1]], 1) for name, value in FOUND.items()}
    truth = {name: torch.cat([value[:1], value[1:]], 1) for name, value in TRUTH.items()}
    assert pck(joined, truth)["pck"] == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    ("between", "words"),
    [(["left_eye"], "distance of two points"), (["left_eye", "rigth_eye"], "did you mean 'right_eye'")],
)
def test_points_that_are_no_reference_are_refused(between, words):
    with pytest.raises(ModelError) as caught:
        pck(FOUND, TRUTH, NAMES, between=between)
    assert words in f"{caught.value.why} {caught.value.fix}"


def test_the_interval_is_that_of_resampled_pictures():
    rng = np.random.default_rng(5)
    truth = columns(np.concatenate([rng.uniform(0, 40, (60, 5, 2)), np.full((60, 5, 1), 2)], 2).tolist())
    spread = rng.exponential(3, (60, 1, 1, 1))
    moved = truth["points"].numpy() + rng.normal(0, 1, (60, 1, 5, 3)) * spread
    found = {**truth, "points": torch.from_numpy(moved)}
    low, high = pck_interval(found, truth, seed=3)
    share = [
        pck({k: v[i : i + 1] for k, v in found.items()}, {k: v[i : i + 1] for k, v in truth.items()})["pck"]
        for i in range(60)
    ]
    means = np.array(share)[rng.integers(0, 60, (4000, 60))].mean(axis=1)
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.02)
    assert low < pck(found, truth)["pck"] < high


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4))
def test_similarity_equals_pycocotools(seed, detections, objects):
    coco, evaluation = (pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval"))
    rng = np.random.default_rng(seed)
    truth = np.concatenate([rng.uniform(0, 100, (objects, 17, 2)), rng.integers(0, 3, (objects, 17, 1))], 2)
    truth[0, :, 2] *= rng.integers(0, 2)  # the first one may be without annotated points
    found = truth[rng.integers(0, objects, detections)] + rng.normal(0, 6, (detections, 17, 3))
    boxes = rng.uniform(5, 60, (objects, 4)).round(2)
    areas = rng.uniform(50, 3000, objects)

    def records(points, **more):
        return [
            {"id": i + 1, "image_id": 1, "category_id": 1, "keypoints": p.reshape(-1).tolist()}
            | {name: value[i] for name, value in more.items()}
            for i, p in enumerate(points)
        ]

    empty = coco.COCO()
    empty.dataset = {"images": [{"id": 1}], "annotations": [], "categories": [{"id": 1, "name": "person"}]}
    empty.createIndex()
    evaluator = evaluation.COCOeval(empty, empty, "keypoints")
    counts = [int((p[:, 2] > 0).sum()) for p in truth]
    evaluator._gts[1, 1] = records(truth, bbox=boxes.tolist(), area=areas.tolist(), num_keypoints=counts)
    scores = np.linspace(1, 0.1, detections).tolist()  # falling: pycocotools sorts by them
    evaluator._dts[1, 1] = records(found, score=scores)
    want = evaluator.computeOks(1, 1)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    ours = keypoint_similarity(found, truth, areas, corners, np.array(COCO_SIGMAS))
    np.testing.assert_allclose(ours, want, atol=1e-9, rtol=0)


def test_sigmas_are_named_for_points_that_are_not_those_of_coco():
    assert point_sigmas(None, 17).tolist() == list(COCO_SIGMAS)
    assert point_sigmas(0.05, 3).tolist() == [0.05] * 3
    with pytest.raises(ModelError, match="each of the 68 points"):
        point_sigmas(None, 68)
    with pytest.raises(ModelError, match="2 are given"):
        point_sigmas([0.1, 0.2], 3)
