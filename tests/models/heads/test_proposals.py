"""The first stage: suppression in fixed shapes, and which heads can stand there."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from trainwright.errors import ModelError
from trainwright.models.heads.proposals import ProposalSuppression, proposer


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 0.9))
def test_what_stays_is_what_torchvision_keeps(seed, threshold):
    draw = torch.Generator().manual_seed(seed)
    corner = torch.rand(2, 60, 2, generator=draw) * 40
    boxes = torch.cat([corner, corner + 10 + torch.rand(2, 60, 2, generator=draw) * 20], 2)
    scores = torch.rand(2, 60, generator=draw)
    found = ProposalSuppression(60, threshold, 30)(boxes, torch.zeros(2, 60, dtype=torch.long), scores)
    assert found["boxes"].shape == (2, 30, 4)
    for image in range(2):
        kept = ops.nms(boxes[image], scores[image], threshold)[:30]
        there = found["labels"][image] == 0
        torch.testing.assert_close(found["boxes"][image, there], boxes[image, kept])
        torch.testing.assert_close(found["scores"][image, there], scores[image, kept])


def make(**spec):
    return proposer(spec, (16, 16), (8, 16), (64, 64), count=10, overlap=0.7)


@pytest.mark.parametrize("name", ["fcos", "retinanet", "ssd"])
def test_heads_for_boxes_propose_without_a_class(name):
    head = make(name=name).eval()
    maps = [torch.randn(2, 16, 8, 8), torch.randn(2, 16, 4, 4)]
    found = head.predict(maps)
    assert found["boxes"].shape == (2, 10, 4)
    assert set(found["labels"].unique().tolist()) <= {0, -1}
    assert (found["scores"].diff(dim=1) <= 0).all()


def test_what_has_no_effect_or_is_no_head_for_boxes_is_refused():
    with pytest.raises(ModelError, match="`detections` of fcos has no effect"):
        make(name="fcos", detections=7)
    with pytest.raises(ModelError, match="linear makes no proposals"):
        make(name="linear")
