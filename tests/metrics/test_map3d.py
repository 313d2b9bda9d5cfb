"""Average precision of boxes in space, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainwright.metrics.map3d import map3d

CAR = [0.0, 0.0, 20.0, 2.0, 2.0, 4.0, 0.0]


def moved(dx=0.0, dz=0.0, yaw=0.0, scale=1.0):
    x, y, z, *size, _ = CAR
    return [x + dx, y, z + dz, *(scale * side for side in size), yaw]


def score(found, labels, scores, true, true_labels, **options):
    output = {
        "boxes3d": torch.tensor(found).float(),
        "labels": torch.tensor(labels),
        "scores": torch.tensor(scores),
    }
    target = {"boxes3d": torch.tensor(true).float(), "labels": torch.tensor(true_labels)}
    return map3d(output, target, **options)


def test_the_truth_itself_is_perfect():
    values = score([[CAR, CAR]], [[0, -1]], [[0.9, 0.0]], [[CAR]], [[0]])
    for name in ("map3d", "map3d_25", "map3d_50", "map3d_70", "map_bev", "map_bev_70", "map_distance"):
        assert values[name] == pytest.approx(1.0)
    assert values["depth_error"] == values["size_error"] == values["yaw_error"] == 0


def test_each_threshold_counts_for_itself():
    # Moved by a metre along its length of four: 3 of 5 square metres per metre of width, 0.6.
    values = score([[moved(dx=1.0)]], [[0]], [[0.9]], [[CAR]], [[0]])
    assert [values[f"map3d_{at}"] for at in (25, 50, 70)] == pytest.approx([1, 1, 0])
    assert values["map3d"] == pytest.approx(2 / 3) and values["map_bev"] == pytest.approx(2 / 3)
    # Of 0.5, 1, 2 and 4 m the last three: a distance of exactly 1 m is near enough.
    assert values["map_distance"] == pytest.approx(0.75)


def test_a_doubled_find_halves_the_precision_of_what_comes_after():
    found = [[CAR, moved(dx=0.1), moved(dz=30.0)]]
    values = score(found, [[0, 0, 0]], [[0.9, 0.8, 0.7]], [[CAR, moved(dz=30.0)]], [[0, 0]])
    # Recall 0.5 at precision 1 on 51 points of 101, then 1.0 at 2/3.
    assert values["map3d"] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_errors_of_what_stands_near():
    found = [[moved(dz=1.0, yaw=np.pi - 0.1, scale=1.1), moved(dz=9.0)]]
    values = score(found, [[0, 0]], [[0.9, 0.8]], [[moved(yaw=-np.pi + 0.1)]], [[0]])
    assert values["depth_error"] == pytest.approx(0.05)
    assert values["size_error"] == pytest.approx(0.1, abs=1e-6)
    assert values["yaw_error"] == pytest.approx(np.degrees(0.2), abs=1e-3)


def test_another_class_is_another_object():
    values = score([[CAR, CAR]], [[1, 0]], [[0.9, 0.8]], [[CAR, moved(dz=30.0)]], [[0, 1]])
    assert values["map3d"] == pytest.approx(0.5)


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_there_is_no_fault(count):
    found = np.full((3, count, 7), np.nan).tolist() if count else np.zeros((3, 0, 7)).tolist()
    output = {
        "boxes3d": torch.tensor(found).reshape(3, count, 7),
        "labels": torch.zeros(3, count, dtype=torch.int64),
        "scores": torch.zeros(3, count),
    }
    values = map3d(output, {"boxes3d": torch.zeros(3, 0, 7), "labels": torch.zeros(3, 0, dtype=torch.int64)})
    assert all(np.isnan(value) for value in values.values())
    target = {"boxes3d": torch.tensor([[CAR]] * 3), "labels": torch.zeros(3, 1, dtype=torch.int64)}
    assert map3d(output, target)["map3d"] == 0
