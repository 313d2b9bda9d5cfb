"""Boxes in space move along with the pixels of their picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.data.augment.test_geometric import MOVERS
from trainwright.data.augment.base import Address
from trainwright.metrics.detection.boxes_in_space import corners_in_space

COUNT, SIZE = 24, (48, 64)
CAMERA = torch.tensor([[60.0, 0, 32, 3], [0, 60, 24, 0], [0, 0, 1, 0.02]])


def seen(boxes, cameras):
    """Corners in pixels `[B, 8, 2]`."""
    corners = torch.from_numpy(corners_in_space(boxes[:, 0].double().numpy()))
    cameras = cameras[:, 0].double()
    found = torch.einsum("bij,bkj->bki", cameras[..., :3], corners) + cameras[:, None, :, 3]
    return found[..., :2] / found[..., 2:]


@pytest.mark.parametrize("name", MOVERS)
def test_the_corners_land_where_the_pixels_do(name):
    draw = np.random.default_rng(0)
    space = np.concatenate(
        [draw.uniform(-2, 2, (COUNT, 2)), draw.uniform(8, 30, (COUNT, 1)), draw.uniform(1, 3, (COUNT, 4))], 1
    )
    boxes = torch.from_numpy(space).float()[:, None]
    cameras = CAMERA.expand(COUNT, 1, 3, 4)
    address = Address(3, 0, np.arange(COUNT), 0)
    warp = MOVERS[name].warp(SIZE, address)
    before = seen(boxes, cameras)
    flat = torch.tensor([20.0, 20, 30, 30]).expand(COUNT, 1, 4)
    objects = {"boxes": flat, "labels": torch.zeros(COUNT, 1).long(), "boxes3d": boxes, "projection": cameras}
    moved = warp.objects(objects, 0.0, None)
    after = seen(moved["boxes3d"], moved["projection"])
    wanted = warp.points(before.float()).double()
    # A mirror image exchanges the two sides of each end: the corners come in another order.
    apart = torch.cdist(wanted, after)
    assert (apart.amin(1) < 0.05).all() and (apart.amin(2) < 0.05).all()
    # Whatever is done to the picture, x of the camera points to the right hand of who looks through it.
    signs = torch.linalg.det(moved["projection"][:, 0, :2, :2])
    assert (signs > 0).all()
