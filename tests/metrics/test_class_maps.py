"""Metrics of masks against scikit-learn over all pixels, and boundaries against distances of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt
from sklearn import metrics as sk

from trainwright.metrics import MONITORED, default_metrics, greater_is_better
from trainwright.metrics.boundary_f import boundary_f
from trainwright.metrics.dice import dice
from trainwright.metrics.miou import miou
from trainwright.metrics.pixel_accuracy import pixel_accuracy
from trainwright.models.heads.class_maps import boundary_matches, confusion

CLASSES = ("sky", "road", "tree", "car", "never")
C = len(CLASSES)
ALL = (miou, dice, pixel_accuracy, boundary_f)


@pytest.fixture(scope="module")
def maps():
    """Blocky true maps with void pixels, and predictions that differ in a fifth of the pixels."""
    rng = np.random.default_rng(5)
    true = rng.integers(0, C - 1, (3, 4, 5)).repeat(5, 1).repeat(4, 2)
    predicted = np.where(rng.random(true.shape) < 0.2, rng.integers(0, C - 1, true.shape), true)
    true[0, :6] = -1
    true[2] = -1
    return torch.from_numpy(predicted), torch.from_numpy(true)


def kept_of(maps, tolerance=2):
    return {
        "confusion": confusion(*maps, C),
        "boundary": boundary_matches(*maps, C, tolerance),
    }


def test_confusion_is_that_of_scikit_learn(maps):
    found = kept_of(maps)["confusion"]
    for place, (predicted, true) in enumerate(zip(*maps, strict=True)):
        known = true >= 0
        if not known.any():
            assert not found[place].any()
            continue
        want = sk.confusion_matrix(true[known], predicted[known], labels=range(C))
        np.testing.assert_array_equal(found[place], want)


def test_values_are_those_of_scikit_learn(maps):
    kept = kept_of(maps)
    known = maps[1] >= 0
    true, predicted = maps[1][known].numpy(), maps[0][known].numpy()
    got = {}
    for metric in ALL:
        got |= metric(kept, None, CLASSES, per_class=True)
    assert got["miou"] == pytest.approx(sk.jaccard_score(true, predicted, average="macro"))
    assert got["dice"] == pytest.approx(sk.f1_score(true, predicted, average="macro"))
    assert got["pixel_accuracy"] == pytest.approx(sk.accuracy_score(true, predicted))
    assert got["class_accuracy"] == pytest.approx(sk.balanced_accuracy_score(true, predicted))
    each = sk.jaccard_score(true, predicted, average=None)
    assert [got[f"iou.{name}"] for name in CLASSES[:-1]] == pytest.approx(each.tolist())
    assert np.isnan([got["iou.never"], got["dice.never"], got["boundary_f.never"]]).all()


def boundary_by_hand(ids):
    """Boundary pixels of each class by a loop."""
    height, width = ids.shape
    found = np.zeros((C, height, width), dtype=bool)
    for y, x in np.ndindex(height, width):
        around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        near = [ids[a, b] for a, b in around if 0 <= a < height and 0 <= b < width]
        if ids[y, x] >= 0 and any(other >= 0 and other != ids[y, x] for other in near):
            found[ids[y, x], y, x] = True
    return found


@pytest.mark.parametrize("tolerance", [0, 1, 2, 5])
def test_boundaries_are_met_within_the_distance(maps, tolerance):
    found = boundary_matches(*maps, C, tolerance)
    for place, (predicted, true) in enumerate(zip(*(part.numpy() for part in maps), strict=True)):
        said, real = boundary_by_hand(np.where(true < 0, -1, predicted)), boundary_by_hand(true)
        for c in range(C):
            near_real = distance_transform_edt(~real[c]) <= tolerance if real[c].any() else real[c]
            near_said = distance_transform_edt(~said[c]) <= tolerance if said[c].any() else said[c]
            want = [(said[c] & near_real).sum(), said[c].sum(), (real[c] & near_said).sum(), real[c].sum()]
            assert found[place, c].tolist() == want


def test_boundary_f_by_hand():
    kept = {
        "boundary": np.array(
            [[[2, 4, 3, 4], [0, 3, 0, 2], [0, 0, 0, 0]], [[2, 4, 1, 4], [0, 0, 0, 0], [0] * 4]]
        )
    }
    precision, recall = 4 / 8, 4 / 8
    want = 2 * precision * recall / (precision + recall)
    got = boundary_f(kept, None, per_class=True)
    assert got["boundary_f.0"] == pytest.approx(want)
    assert got["boundary_f.1"] == 0
    assert np.isnan(got["boundary_f.2"])
    assert got["boundary_f"] == pytest.approx(want / 2)


def test_a_shifted_edge_is_met_from_its_distance_on():
    true = torch.zeros(1, 8, 8, dtype=torch.int64)
    true[:, :, 4:] = 1
    moved = torch.zeros_like(true)
    moved[:, :, 7:] = 1
    scores = [
        boundary_f({"boundary": boundary_matches(moved, true, 2, r)}, None)["boundary_f"] for r in (2, 3)
    ]
    assert scores == [0, 1]


def test_nothing_known_is_nan_and_no_error():
    nothing = torch.full((2, 4, 4), -1)
    kept = kept_of((torch.zeros(2, 4, 4, dtype=torch.int64), nothing))
    values = [value for metric in ALL for value in metric(kept, None).values()]
    assert len(values) == 5
    assert np.isnan(values).all()


def test_masks_are_judged_by_these_without_being_asked():
    assert [item["name"] for item in default_metrics("mask", 11)] == [metric.__name__ for metric in ALL]
    assert default_metrics("mask", 11)[0]["per_class"] is True
    assert "per_class" not in default_metrics("mask", 150)[0]
    assert MONITORED["mask"] == (("miou", "miou"),)
    assert greater_is_better("val/iou.road") is True
    assert greater_is_better("val/seg/boundary_f") is True
    assert greater_is_better("val/confusion.a.b") is None
