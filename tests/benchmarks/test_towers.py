"""The forms of a head's convolutions are one and the same function."""

from __future__ import annotations

import torch

from benchmarks import towers


def test_joint_towers_give_what_two_towers_give():
    torch.manual_seed(0)
    map, kernels = torch.randn(2, 64, 5, 6), torch.randn(4, 64, 64, 3, 3) * 0.03
    torch.testing.assert_close(towers.joint(map, *kernels), towers.apart(map, *kernels), atol=1e-5, rtol=1e-5)


def test_a_product_of_windows_is_a_convolution():
    torch.manual_seed(0)
    map, kernel = torch.randn(2, 64, 5, 6), torch.randn(64, 64, 3, 3) * 0.03
    torch.testing.assert_close(
        towers.product(map, kernel), towers.convolution(map, kernel), atol=1e-5, rtol=1e-5
    )
