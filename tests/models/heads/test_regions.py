"""Regions cut out of a pyramid, beside torchvision's ROIAlign on each level."""

from __future__ import annotations

import pytest
import torch
from torchvision import ops
from torchvision.ops.poolers import LevelMapper

from trainwright.models.heads.regions import Atlas

SIZE, STRIDES = (90, 130), (4, 8, 16, 32)


def features(strides=STRIDES, batch=2, size=SIZE):
    draw = torch.Generator().manual_seed(3)
    shapes = [tuple(-(-side // stride) for side in size) for stride in strides]
    return [torch.randn(batch, 5, *shape, generator=draw).requires_grad_() for shape in shapes]


def boxes(count, batch=2, size=SIZE):
    draw = torch.Generator().manual_seed(4)
    limits = torch.tensor([size[1], size[0]] * 2)
    ends = torch.rand(batch, count, 2, 2, generator=draw).sort(dim=2).values.flatten(2) * limits
    ends[:, 0] = torch.tensor([0.0, 0, *limits[:2]])
    ends[:, 1] = torch.tensor([*(limits[:2] - 3.0), *limits[:2]])
    ends[:, 2] = torch.tensor([0.0, 0, 2, 1])
    return ends


@pytest.mark.parametrize("strides", [STRIDES, (4,), (8, 16), (4, 8, 16, 32, 64, 128)])
@pytest.mark.parametrize("size", [1, 7])
def test_regions_equal_those_of_torchvision_level_by_level(strides, size):
    maps, regions = features(strides), boxes(40)
    atlas = Atlas(maps, strides)
    found = atlas.cut(regions, size)
    level = atlas.level(regions)
    assert found.shape == (80, 5, size, size)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(5))
    ours = torch.autograd.grad((found * weights).sum(), maps, allow_unused=True)
    want = torch.zeros_like(found)
    for number, stride in enumerate(strides):
        image, row = (level == number).nonzero(as_tuple=True)
        rows = torch.cat([image[:, None].float(), regions[image, row]], 1)
        part = ops.roi_align(maps[number], rows, size, 1 / stride, 2, aligned=True)
        want[image * 40 + row] = part
        torch.testing.assert_close(found[image * 40 + row], part, rtol=1e-4, atol=1e-5)
        theirs = torch.autograd.grad((part * weights[image * 40 + row]).sum(), maps[number])[0]
        torch.testing.assert_close(ours[number], theirs, rtol=1e-4, atol=1e-4)
    assert want.abs().sum() > 0


def test_levels_are_those_of_the_paper():
    sides = torch.tensor([1.0, 30, 55.9, 56, 111, 112, 223, 224, 225, 447, 448, 896, 2000])
    regions = torch.stack([torch.zeros_like(sides), torch.zeros_like(sides), sides, sides], 1)
    atlas = Atlas(features(), STRIDES)
    assert atlas.level(regions).tolist() == LevelMapper(2, 5)([regions]).tolist()


def test_regions_of_chosen_images():
    maps, regions = features(), boxes(10)
    atlas = Atlas(maps, STRIDES)
    image = torch.tensor([1, 0, 1])
    some = atlas.cut(regions[image, torch.tensor([4, 5, 6])], 3, image)
    torch.testing.assert_close(some, atlas.cut(regions, 3)[torch.tensor([14, 5, 16])])


def test_a_region_without_sides_is_finite():
    assert torch.isfinite(Atlas(features(), STRIDES).cut(torch.full((2, 1, 4), 9.0), 7)).all()
