"""Average precision and recall against pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.detection.coco import KEYS, coco_summary, random_case
from trainwright.metrics import default_metrics, greater_is_better
from trainwright.metrics.map import map as mean_average_precision

pytest.importorskip("pycocotools")


def close(want):
    return pytest.approx(want, abs=1e-6, nan_ok=True)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 4))
def test_boxes_are_scored_as_by_coco(seed, pictures, classes):
    output, target = random_case(seed, pictures, classes=classes)
    assert mean_average_precision(output, target) == close(coco_summary(output, target))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_any_similarity_and_any_areas_are_scored_as_by_coco(seed):
    output, target = random_case(seed)
    rng = np.random.default_rng(seed)
    shape = output["labels"].shape
    # Steps of 0.05 fall on the thresholds themselves.
    output["similarity"] = rng.integers(0, 21, (*shape, target["labels"].shape[1])) / 20
    output["areas"] = rng.choice([0.0, 1023.9, 1024.0, 1024.1, 9216.0, 1e5], shape)
    output["true_areas"] = rng.choice([0.0, 1023.9, 1024.0, 9215.0, 9216.0, 9217.0], target["labels"].shape)
    assert mean_average_precision(output, target) == close(coco_summary(output, target))
    single = output | {"similarity": output["similarity"].astype(np.float32)}
    assert mean_average_precision(single, target) == close(coco_summary(output, target))


def test_more_finds_than_count_are_cut_as_by_coco():
    output, target = random_case(3, pictures=3, finds=230, truths=60, classes=1)
    assert mean_average_precision(output, target) == close(coco_summary(output, target))
    values = mean_average_precision(output, target, detections=[2, 5, 20])
    want = coco_summary(output, target, (2, 5, 20))
    # pycocotools prints -1 for what it names by 100 when the limits are others; the rest is the same.
    assert values["ar_2"] == pytest.approx(want["ar_1"], abs=1e-6)
    assert values["ar_20"] == pytest.approx(want["ar_100"], abs=1e-6)
    assert values["map50"] == pytest.approx(want["map50"], abs=1e-6)


def test_what_is_found_exactly_and_alone_is_perfect():
    box = torch.tensor([[[10.0, 10.0, 60.0, 50.0], [0.0, 0.0, 0.0, 0.0]]])
    target = {"boxes": box, "labels": torch.tensor([[2, -1]])}
    output = {"boxes": box, "labels": torch.tensor([[2, -1]]), "scores": torch.tensor([[0.3, 0.0]])}
    values = mean_average_precision(output, target)
    assert (values["map"], values["map75"], values["map_medium"], values["ar_1"]) == pytest.approx((1,) * 4)
    assert np.isnan(values["map_small"])
    assert mean_average_precision(output | {"labels": torch.tensor([[1, -1]])}, target)["map"] == 0


@pytest.mark.parametrize("finds", [0, 5])
@pytest.mark.parametrize("truths", [0, 4])
def test_nothing_to_find_and_nothing_found(finds, truths):
    rng = np.random.default_rng(0)
    output = {
        "boxes": np.sort(rng.random((2, finds, 4)) * 50, -1),
        "labels": np.full((2, finds), -1),
        "scores": rng.random((2, finds)),
    }
    target = {"boxes": np.tile([0.0, 0.0, 9.0, 9.0], (2, truths, 1)), "labels": np.zeros((2, truths), int)}
    assert mean_average_precision(output, target)["map"] == pytest.approx(
        0.0 if truths else np.nan, nan_ok=True
    )


def test_broken_numbers_are_never_right():
    output, target = random_case(5)
    broken = output | {"scores": np.full_like(output["scores"], np.nan)}
    assert 0 <= mean_average_precision(broken, target)["map"] <= 1
    lost = output | {"boxes": np.full_like(output["boxes"], np.nan)}
    assert mean_average_precision(lost, target)["map"] == 0


def test_it_is_the_metric_of_boxes_and_rises():
    assert default_metrics("boxes") == [{"name": "map"}]
    assert all(greater_is_better(f"val/objects/{key}") for key in KEYS)
