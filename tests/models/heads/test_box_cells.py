"""From boxes to cells and back."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.models.heads.box_cells import box_cells, decode
from trainwright.models.heads.grid import Grid, distances_to

GRID = Grid(((16, 24), (8, 12), (4, 6)), (8, 16, 32))
RADIUS, REACH = 1.5, 4.0


@st.composite
def annotated(draw):
    """Boxes of all sizes, also without area, many of them in one place, and rows without a box."""
    batch, count = draw(st.integers(1, 3)), draw(st.integers(0, 12))
    draws = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    crowded = draw(st.booleans())
    corner = torch.rand(batch, count, 2, generator=draws) * (20 if crowded else 150)
    sides = torch.rand(batch, count, 2, generator=draws) ** 3 * 190
    sides *= torch.rand(batch, count, 1, generator=draws) > 0.1
    labels = torch.randint(-1, 4, (batch, count), generator=draws)
    return torch.cat([corner, corner + sides], 2), labels


def slow_owner(boxes, labels, grid):
    """Box of each cell by looking at all pairs, as the paper tells it."""
    points, steps = grid.centres(), grid.steps()
    owner = torch.full((len(boxes), grid.size), -1)
    high = steps * REACH
    low = torch.where(steps == grid.strides[0], 0.0, high / 2)
    high[steps == grid.strides[-1]] = torch.inf
    for image, (of_image, classes) in enumerate(zip(boxes, labels, strict=True)):
        area = (of_image[:, 2] - of_image[:, 0]) * (of_image[:, 3] - of_image[:, 1])
        for number in area.argsort(dim=0, stable=True).flip(0).tolist():
            far = distances_to(of_image[number], points)
            middle = (of_image[number, :2] + of_image[number, 2:]) / 2
            near = ((points - middle).abs() / steps[:, None] < RADIUS).all(1)
            mine = near & (far.amin(1) > 0) & (far.amax(1) > low) & (far.amax(1) <= high)
            if classes[number] >= 0:
                owner[image, mine] = number
    return owner


@settings(max_examples=200)
@given(annotated())
def test_cells_are_those_that_the_paper_names(case):
    boxes, labels = case
    cells = box_cells(boxes, labels, GRID, radius=RADIUS, reach=REACH)
    assert torch.equal(cells.owner, slow_owner(boxes, labels, GRID))
    owned = torch.zeros_like(cells.owner).scatter_add(1, cells.cell.flatten(1), cells.owned.flatten(1).long())
    assert torch.equal(owned, (cells.owner >= 0).long())


@settings(max_examples=200)
@given(annotated())
def test_every_box_that_owns_a_cell_comes_back_and_the_others_are_named(case):
    boxes, labels = case
    cells = box_cells(boxes, labels, GRID, radius=RADIUS, reach=REACH)
    again, found = decode(cells.owner, cells.distances(GRID), GRID, boxes.shape[1])
    assert torch.equal(found, (labels >= 0) & ~cells.unowned)
    if found.any():
        assert float((again - boxes)[found].abs().max()) < 1e-3
    for image, number in cells.unowned.nonzero().tolist():
        assert number not in cells.owner[image]


def test_a_covered_box_and_a_tiny_one_are_counted():
    boxes = torch.tensor([[[8.0, 8, 40, 40], [9, 9, 39, 39], [60, 60, 61, 61], [0, 0, 0, 0]]])
    cells = box_cells(boxes, torch.tensor([[0, 1, 0, -1]]), GRID, radius=RADIUS, reach=REACH)
    assert cells.unowned.tolist() == [[True, False, True, False]]


def test_boxes_that_are_none_own_nothing():
    boxes = torch.tensor([[[float("nan")] * 4, [float("inf")] * 4, [-1e30, -1e30, 1e30, 1e30]]])
    cells = box_cells(boxes, torch.tensor([[0, 0, 0]]), GRID, radius=RADIUS, reach=REACH)
    assert torch.isfinite(cells.boxes).all()
    assert torch.isfinite(cells.distances(GRID)).all()
    assert set(cells.owner.flatten().tolist()) <= {-1, 2}
