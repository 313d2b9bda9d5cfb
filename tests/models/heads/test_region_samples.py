"""Which proposals the second stage learns from."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from trainwright.models.heads.region_samples import sampled

SIZE = (100, 100)
TRUE = torch.tensor([[[0.0, 0, 40, 40], [50, 50, 90, 90], [0, 0, 0, 0]]])
LABELS = torch.tensor([[2, 0, -1]])


def choose(proposals, **options):
    given = {"classes": 3, "image_size": SIZE, "count": 6, "positives": 3, "least_overlap": 0.5} | options
    boxes = torch.tensor([proposals], dtype=torch.float32)
    return sampled(boxes, torch.ones(1, len(proposals), dtype=torch.bool), TRUE, LABELS, **given)


def test_objects_take_turns_and_background_follows_by_score():
    found = choose(
        [
            [1, 0, 40, 40],  # the first object, and so are the next two
            [0, 2, 40, 40],
            [3, 0, 40, 40],
            [60, 0, 80, 20],  # nothing
            [52, 50, 90, 90],  # the second object
            [0, 60, 30, 90],  # nothing
        ]
    )
    assert found.boxes[0, :5, 0].tolist() == [1, 52, 0, 60, 0]
    assert found.labels[0].tolist()[:5] == [2, 0, 2, 3, 3]
    assert found.owner[0].tolist()[:3] == [0, 1, 0]
    assert found.positive[0].tolist() == [1, 1, 1, 0, 0, 0]
    # Of nine candidates two are background and four are objects beyond the limit or no box at all.
    assert found.counted[0].tolist() == [1, 1, 1, 1, 1, 0]
    torch.testing.assert_close(found.true[0, :3], TRUE[0, [0, 1, 0]])


def test_the_true_boxes_themselves_stand_in_for_proposals():
    found = choose([[60.0, 0, 80, 20]])
    torch.testing.assert_close(found.boxes[0, :2], TRUE[0, :2])
    assert found.labels[0].tolist()[:3] == [2, 0, 3]
    assert found.counted[0].tolist() == [1, 1, 1, 0]


def test_without_an_object_all_is_background():
    proposals = torch.tensor([[[0.0, 0, 9, 9], [5, 5, 20, 20]]])
    for boxes, labels in (
        (torch.zeros(1, 0, 4), torch.zeros(1, 0, dtype=torch.long)),
        (torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.long)),
        (torch.full((1, 1, 4), torch.nan), torch.zeros(1, 1, dtype=torch.long)),
        (torch.tensor([[[0.0, 0, 9, 9]]]), torch.tensor([[3]])),
    ):
        there = torch.tensor([[True, False]])
        found = sampled(
            *(proposals, there, boxes, labels),
            **{"classes": 3, "image_size": SIZE, "count": 4, "positives": 2, "least_overlap": 0.5},
        )
        assert found.positive.sum() == 0 and found.counted.tolist()[0][:2] == [1, 0]
        assert found.labels[0, 0] == 3 and torch.isfinite(found.boxes).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_chosen_is_right_and_depends_on_no_other_image(seed):
    draw = torch.Generator().manual_seed(seed)
    ends = torch.rand(3, 30, 2, 2, generator=draw).sort(dim=2).values.flatten(2) * 100
    true, labels = ends[:, :4].clone(), torch.randint(-1, 3, (3, 4), generator=draw)
    proposals = torch.where(torch.rand(3, 26, 1, generator=draw) < 0.5, ends[:, 4:], true[:, :1] + 1)
    there = torch.rand(3, 26, generator=draw) < 0.8
    options = {"classes": 3, "image_size": SIZE, "count": 12, "positives": 5, "least_overlap": 0.5}
    found = sampled(proposals, there, true, labels, **options)
    for image in range(3):
        part = slice(image, image + 1)
        alone = sampled(proposals[part], there[part], true[part], labels[part], **options)
        for name in ("boxes", "labels", "owner", "positive", "counted"):
            assert torch.equal(getattr(alone, name)[0], getattr(found, name)[image])
        real = labels[image] >= 0
        overlaps = ops.box_iou(found.boxes[image], true[image]) * real
        for slot in range(12):
            if not found.counted[image, slot]:
                continue
            if found.positive[image, slot]:
                assert overlaps[slot, found.owner[image, slot]] >= 0.5 - 1e-5
                assert labels[image, found.owner[image, slot]] == found.labels[image, slot]
            else:
                assert overlaps[slot].max() < 0.5 + 1e-5
        assert found.positive[image].sum() <= 5
