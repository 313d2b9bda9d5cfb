"""Overlap of boxes in space: figures by hand, and areas by counting points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.metrics.detection.boxes_in_space import (
    corners_in_space,
    ground_distances,
    ground_overlaps,
    volume_overlaps,
)


def box(x=0.0, y=0.0, z=10.0, height=2.0, width=2.0, length=4.0, yaw=0.0):
    return np.array([x, y, z, height, width, length, yaw])


@pytest.mark.parametrize(
    ("other", "ground", "volume"),
    [
        (box(), 1.0, 1.0),
        (box(yaw=np.pi), 1.0, 1.0),
        (box(yaw=np.pi / 2), 4 / 12, 4 / 12),  # a cross of two 2 x 4 rectangles
        (box(y=1.0), 1.0, 8 / 24),  # half as high up
        (box(y=2.0), 1.0, 0.0),  # one upon the other
        (box(x=2.0), 4 / 12, 4 / 12),
        (box(x=4.0), 0.0, 0.0),  # side by side
        (box(x=1e-9), 1.0, 1.0),
        (box(height=1.0), 1.0, 0.5),
        (box(width=0.0), 0.0, 0.0),
        (box(z=np.nan), 0.0, 0.0),
        (box(x=1e9), 0.0, 0.0),
    ],
)
def test_figures_by_hand(other, ground, volume):
    assert ground_overlaps(box(), other) == pytest.approx(ground, abs=1e-8)
    assert ground_overlaps(other, box()) == pytest.approx(ground, abs=1e-8)
    assert volume_overlaps(box(), other) == pytest.approx(volume, abs=1e-8)


def test_a_square_and_itself_turned_by_half_a_right_angle_share_an_octagon():
    shared = 8 * (np.sqrt(2) - 1)
    found = ground_overlaps(box(length=2.0), box(length=2.0, yaw=np.pi / 4))
    assert found == pytest.approx(shared / (8 - shared), abs=1e-12)


def test_the_length_lies_along_the_yaw_of_kitti():
    # A quarter turn to the left: what pointed to the right points away from the camera's view, to -z.
    corners = corners_in_space(box(yaw=np.pi / 2))
    np.testing.assert_allclose(corners[:2, 2], 8.0, atol=1e-12)
    np.testing.assert_allclose(corners[[2, 3], 2], 12.0, atol=1e-12)
    assert corners[:4, 1].tolist() == [1.0] * 4 and corners[4:, 1].tolist() == [-1.0] * 4


def test_all_pairs_of_many_boxes_and_none():
    assert ground_overlaps(np.zeros((0, 1, 7)), np.zeros((1, 3, 7))).shape == (0, 3)
    found = volume_overlaps(np.stack([box(), box(x=9.0)])[:, None], np.stack([box(), box(x=2.0)])[None])
    np.testing.assert_allclose(found, [[1, 1 / 3], [0, 0]], atol=1e-9)
    assert ground_distances(box(y=5.0), box(x=3.0, z=14.0)) == pytest.approx(5.0)


sides = st.floats(0.3, 4)
places = st.floats(-2, 2)
boxes = st.builds(
    box, x=places, y=places, z=places, height=sides, width=sides, length=sides, yaw=st.floats(-7, 7)
)


@settings(max_examples=40, deadline=None)
@given(boxes, boxes)
def test_the_overlap_is_that_of_counted_points(first, second):
    grid = np.stack(np.meshgrid(*[np.linspace(-6, 6, 400)] * 2), -1).reshape(-1, 2)

    def inside(item):
        away = grid - item[[0, 2]]
        ahead = away @ [np.cos(item[6]), -np.sin(item[6])]
        aside = away @ [np.sin(item[6]), np.cos(item[6])]
        return (abs(ahead) <= item[5] / 2) & (abs(aside) <= item[4] / 2)

    one, other = inside(first), inside(second)
    cell = (12 / 399) ** 2
    union = (one | other).sum()
    # A grid misses about as much as its cells along the sides cover.
    margin = 0.02 + 0.6 * np.sqrt(cell) * 16 / max(union * cell, 1e-9)
    assert ground_overlaps(first, second) == pytest.approx(
        (one & other).sum() / max(union, 1), abs=min(margin, 0.5)
    )
    assert ground_overlaps(first, second) == pytest.approx(ground_overlaps(second, first), abs=1e-9)
    assert ground_overlaps(first, first) == pytest.approx(1, abs=1e-9)
