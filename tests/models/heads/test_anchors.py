"""Where anchors lie and how boxes are told from them, beside torchvision."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

from trainwright.models.heads.anchors import Anchors, decoded, encoded, shapes_of
from trainwright.models.heads.grid import Grid
from trainwright.models.heads.ssd import default_shapes


def by_cell(anchors):
    """Boxes in torchvision's order: level by level, row by row, the shapes of a cell side by side."""
    parts = anchors.boxes().split([b - a for a, b in zip(anchors.starts, anchors.starts[1:], strict=False)])
    counts = [len(shapes) for shapes in anchors.shapes]
    return torch.cat(
        [p.view(n, -1, 4).transpose(0, 1).reshape(-1, 4) for p, n in zip(parts, counts, strict=True)]
    )


def images(height, width):
    return ImageList(torch.zeros(1, 3, height, width), [(height, width)])


def test_anchors_are_those_of_torchvision_half_a_cell_further():
    shapes, strides, sizes = ((8, 12), (4, 6)), (8, 16), (16.0, 24.0, 40.0)
    generator = AnchorGenerator((sizes, sizes), ((0.5, 1.0, 2.0),) * 2)
    [wanted] = generator(images(64, 96), [torch.zeros(1, 1, *shape) for shape in shapes])
    grid = Grid(shapes, strides)
    anchors = Anchors(grid, (shapes_of(sizes, [0.5, 1.0, 2.0]),) * 2)
    # There they lie around the upper left corner of a cell, and corners are rounded to pixels.
    half = torch.cat([torch.full((8 * 12 * 9,), 4.0), torch.full((4 * 6 * 9,), 8.0)])[:, None]
    assert float((by_cell(anchors) - half - wanted).abs().max()) <= 0.5
    squares = Anchors(grid, (shapes_of([16.0, 24.0], [1.0]),) * 2)
    [wanted] = AnchorGenerator(((16.0, 24.0),) * 2, ((1.0,),) * 2)(
        images(64, 96), [torch.zeros(1, 1, *shape) for shape in shapes]
    )
    half = torch.cat([torch.full((8 * 12 * 2,), 4.0), torch.full((4 * 6 * 2,), 8.0)])[:, None]
    torch.testing.assert_close(by_cell(squares) - half, wanted)


def test_default_boxes_are_those_of_torchvision():
    shapes = ((16, 16), (8, 8), (4, 4))
    generator = DefaultBoxGenerator([[2, 3]] * 3, min_ratio=0.2, max_ratio=0.9, steps=[8, 16, 32])
    [wanted] = generator(images(128, 128), [torch.zeros(1, 1, *shape) for shape in shapes])
    anchors = Anchors(Grid(shapes, (8, 16, 32)), tuple(default_shapes(3, (128, 128), 0.2, 0.9, [2.0, 3.0])))
    torch.testing.assert_close(by_cell(anchors), wanted, rtol=1e-5, atol=1e-4)


def test_default_boxes_are_not_larger_than_the_picture():
    for level in default_shapes(4, (60, 200), 0.2, 0.9, [2.0, 3.0]):
        assert (level <= torch.tensor([200.0, 60.0])).all() and (level > 0).all()


def boxes_of(seed, count=20):
    draw = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=draw) * 100
    return torch.cat([corner, corner + 1 + torch.rand(count, 2, generator=draw) * 60], 1)


@given(st.integers(0, 2**31))
def test_codes_are_those_of_torchvision_and_come_back(seed):
    boxes, anchors = boxes_of(seed), boxes_of(seed + 1)
    coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
    codes = encoded(boxes, anchors)
    torch.testing.assert_close(codes, coder.encode_single(boxes, anchors), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        decoded(codes, anchors), coder.decode_single(codes, anchors), rtol=1e-4, atol=1e-3
    )
    torch.testing.assert_close(decoded(codes, anchors), boxes, rtol=1e-4, atol=1e-3)


def test_codes_of_boxes_without_area_and_boxes_of_wild_codes_are_finite():
    anchors = boxes_of(0, 3)
    assert torch.isfinite(encoded(torch.full((3, 4), 7.0), anchors)).all()
    assert torch.isfinite(decoded(torch.full((3, 4), 1e4), anchors)).all()
