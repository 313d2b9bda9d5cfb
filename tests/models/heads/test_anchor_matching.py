"""Which anchors learn which box, beside torchvision's matching of all pairs."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops
from torchvision.models.detection._utils import Matcher

from trainwright.models.heads import anchor_matching
from trainwright.models.heads.anchor_matching import match, overlaps
from trainwright.models.heads.anchors import Anchors, shapes_of
from trainwright.models.heads.grid import Grid

GRID = Grid(((8, 12), (4, 6)), (8, 16))
ANCHORS = Anchors(GRID, tuple(shapes_of([3.0 * s, 4.0 * s], [0.5, 1.0, 2.0]) for s in GRID.strides))


def annotated(seed, batch=2, count=6):
    """Boxes of all sizes, some without area, and rows without a box."""
    draw = torch.Generator().manual_seed(seed)
    corner = torch.rand(batch, count, 2, generator=draw) * 80 - 5
    sides = torch.rand(batch, count, 2, generator=draw) ** 2 * 70
    sides *= torch.rand(batch, count, 1, generator=draw) > 0.1
    return torch.cat([corner, corner + sides], 2), torch.randint(-1, 4, (batch, count), generator=draw)


@given(st.integers(0, 2**31))
def test_overlaps_are_those_of_all_pairs(seed):
    boxes, labels = annotated(seed)
    found = overlaps(boxes, labels >= 0, ANCHORS)
    for image in range(2):
        wanted = ops.box_iou(boxes[image], ANCHORS.boxes())
        wanted[labels[image] < 0] = 0
        torch.testing.assert_close(found[image], wanted, rtol=1e-4, atol=1e-6)


@settings(max_examples=200)
@given(st.integers(0, 2**31))
def test_anchors_learn_what_they_learn_in_torchvision_but_that_no_box_is_lost_to_another(seed):
    boxes, labels = annotated(seed)
    got = match(boxes, labels, ANCHORS, positive=0.5, negative=0.4)
    for image in range(2):
        real = (labels[image] >= 0).nonzero()[:, 0]
        pairs = overlaps(boxes, labels >= 0, ANCHORS)[image]
        if not len(real) or not (pairs[real].amax(1) > 0).all():
            continue  # torchvision lets all anchors learn a box without an area
        wanted = Matcher(0.5, 0.4, allow_low_quality_matches=True)(pairs[real])
        wanted = torch.where(wanted >= 0, real[wanted.clamp_min(0)], wanted)
        best = (pairs == pairs.amax(1, keepdim=True)) & (labels[image] >= 0)[:, None]
        differs = got.owner[image] != wanted
        # An anchor that is the best one of a box and overlaps another one more learns the first.
        assert best[got.owner[image][differs], differs.nonzero()[:, 0]].all()
        for box in real[~torch.isin(real, got.owner[image])].tolist():
            # Its best anchors are the best ones of other boxes too.
            assert (best[:, best[box]].sum(0) > 1).all()


def test_owners_do_not_depend_on_how_many_images_are_looked_at_together(monkeypatch):
    boxes, labels = annotated(3, batch=5)
    whole = match(boxes, labels, ANCHORS, positive=0.5, negative=0.4)
    monkeypatch.setattr(anchor_matching, "_MOST_OVERLAPS", 1)
    assert torch.equal(match(boxes, labels, ANCHORS, positive=0.5, negative=0.4).owner, whole.owner)


def test_a_small_box_has_its_best_anchor_and_one_without_area_is_counted():
    boxes = torch.tensor([[[20.0, 20, 23, 24], [30, 30, 30, 40], [200, 200, 240, 240], [0, 0, 0, 0]]])
    found = match(boxes, torch.tensor([[1, 0, 2, -1]]), ANCHORS, positive=0.5, negative=0.4)
    assert found.unowned.tolist() == [[False, True, True, False]]
    assert found.true_labels()[found.positive].unique().tolist() == [1]
    torch.testing.assert_close(found.true_boxes()[found.positive][0], boxes[0, 0])


@pytest.mark.parametrize("count", [0, 3])
def test_without_boxes_all_is_background(count):
    found = match(torch.zeros(2, count, 4), torch.full((2, count), -1), ANCHORS, positive=0.5, negative=0.4)
    assert (found.owner == anchor_matching.BACKGROUND).all() and not found.unowned.any()
