"""How found objects are alike to true ones where boxes do not decide."""

from __future__ import annotations

import numpy as np
import torch

from trainwright.inference.similarities import similarities


def test_points_are_compared_by_points_and_not_by_boxes():
    true = torch.tensor([[[[10.0, 10, 2], [30, 10, 2]], [[0, 0, 0], [0, 0, 0]]]])
    truth = {"points": true, "boxes": torch.tensor([[[0.0, 0, 40, 40], [0, 0, 0, 0]]])}
    found = torch.tensor(
        [[[[10.0, 10, 1], [30, 10, 1]], [[30, 10, 1], [10, 10, 1]], [[14, 10, 1], [30, 10, 1]]]]
    )
    rows, columns = np.arange(3), np.array([0])
    table = similarities("keypoints", {"points": found}, truth, 0, rows, columns)
    # One point is off by 4 pixels: exp(-16 / (2 * 1600 * (2 * 0.05)^2)) of it counts.
    off = np.exp(-16 / (2 * 1600 * 0.01))
    np.testing.assert_allclose(table[[0, 2], 0], [1, (1 + off) / 2], rtol=1e-6)
    assert table[1, 0] < 1e-5


def test_boxes_in_space_by_volume_and_those_in_the_picture_by_themselves():
    box = torch.tensor([[[0.0, 0, 9, 2, 2, 4, 0], [2.0, 0, 9, 2, 2, 4, 0]]])
    both = np.arange(2)
    table = similarities("boxes3d", {"boxes3d": box}, {"boxes3d": box}, 0, both, both)
    np.testing.assert_allclose(table, [[1, 1 / 3], [1 / 3, 1]], atol=1e-9)
    assert similarities("boxes", {"boxes": box}, {"boxes": box}, 0, both, both) is None
