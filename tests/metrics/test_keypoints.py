"""Metrics of keypoints, by hand and against pycocotools."""

from __future__ import annotations

import contextlib
import copy
import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.metrics.keypoint_map import keypoint_map
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


def annotations(rng, pictures):
    """People of COCO with 17 points each, and a guess at them; some people have no annotated point."""
    truths, guesses = [], []
    for picture in range(1, pictures + 1):
        count = rng.integers(0, 4)
        points = np.concatenate(
            [rng.uniform(0, 160, (count, 17, 2)), rng.integers(0, 3, (count, 17, 1))], axis=2
        )
        points[rng.random(count) < 0.2, :, 2] = 0
        extent = np.ptp(points[..., :2], axis=1) + 4
        for place, person in enumerate(points):
            box = [*(person[:, :2].min(axis=0) - 2), *extent[place]]
            truths.append(
                {"id": len(truths) + 1, "image_id": picture, "category_id": 1, "iscrowd": 0}
                | {"keypoints": person.reshape(-1).tolist(), "num_keypoints": int((person[:, 2] > 0).sum())}
                | {"bbox": [float(part) for part in box], "area": float(rng.uniform(200, 16000))}
            )
        for _ in range(rng.integers(0, 5)):
            base = points[rng.integers(count)] if count else rng.uniform(0, 160, (17, 3))
            person = base + rng.normal(0, rng.uniform(1, 12), (17, 3)) * [1, 1, 0]
            guesses.append(
                {"image_id": picture, "category_id": 1, "score": round(float(rng.random()), 2)}
                | {"keypoints": person.reshape(-1).tolist()}
            )
    return truths, guesses


def evaluator(truths, guesses, pictures):
    """pycocotools' evaluation of both."""
    coco, evaluation = (pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval"))
    truth = coco.COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": picture} for picture in range(1, pictures + 1)],
        "annotations": truths,
        "categories": [{"id": 1, "name": "person"}],
    }
    truth.createIndex()
    return evaluation.COCOeval(truth, truth.loadRes(guesses), "keypoints")


def padded(records, pictures):
    """Annotations or guesses as columns of a batch."""
    rows = [[item for item in records if item["image_id"] == n] for n in range(1, pictures + 1)]
    count = max(1, *map(len, rows))
    found = {
        "labels": np.full((pictures, count), -1),
        "scores": np.zeros((pictures, count)),
        "points": np.zeros((pictures, count, 17, 3)),
        "boxes": np.zeros((pictures, count, 4)),
        "areas": np.zeros((pictures, count)),
    }
    for n, items in enumerate(rows):
        for place, item in enumerate(items):
            left, top, width, height = item.get("bbox", [0, 0, 0, 0])
            found["labels"][n, place] = 0
            found["scores"][n, place] = item.get("score", 1)
            found["points"][n, place] = np.reshape(item["keypoints"], (17, 3))
            found["boxes"][n, place] = left, top, left + width, top + height
            found["areas"][n, place] = item.get("area", 0)
    return found


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_precision_and_similarity_equal_pycocotools(seed):
    rng = np.random.default_rng(seed)
    truths, guesses = annotations(rng, 6)
    if not truths or not guesses:
        return
    theirs = evaluator(copy.deepcopy(truths), copy.deepcopy(guesses), 6)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs.evaluate()
        theirs.accumulate()
        theirs.summarize()
    # map, map50, map75, medium, large; then the recalls in the same order.
    want = np.where(theirs.stats == -1, np.nan, theirs.stats)
    found, truth = padded(guesses, 6), padded(truths, 6)
    ours = keypoint_map(found, truth)
    names = ("map", "map50", "map75", "map_medium", "map_large")
    np.testing.assert_allclose([ours[name] for name in names], want[:5], atol=1e-6)
    recalls = ("ar_20", "ar_medium", "ar_large")
    np.testing.assert_allclose([ours[name] for name in recalls], want[[5, 8, 9]], atol=1e-6)
    for picture in range(6):
        table = theirs.ious[picture + 1, 1]
        there, here = (item["labels"][picture] >= 0 for item in (truth, found))
        if not len(table):
            continue
        order = np.argsort(-found["scores"][picture][here], kind="stable")
        similarity = keypoint_similarity(
            found["points"][picture][here][order][:, None],
            *(truth[name][picture][there][None] for name in ("points", "areas", "boxes")),
            np.array(COCO_SIGMAS),
        )
        np.testing.assert_allclose(similarity, table, atol=1e-6)


def test_sigmas_are_named_for_points_that_are_not_those_of_coco():
    assert point_sigmas(None, 17).tolist() == list(COCO_SIGMAS)
    assert point_sigmas(0.05, 3).tolist() == [0.05] * 3
    with pytest.raises(ModelError, match="each of the 68 points"):
        point_sigmas(None, 68)
    with pytest.raises(ModelError, match="2 are given"):
        point_sigmas([0.1, 0.2], 3)
