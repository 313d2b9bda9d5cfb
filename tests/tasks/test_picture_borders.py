"""Boxes end at the borders of the picture, and those in its padding are none."""

import torch

from trainwright.tasks.supervised.picture_borders import within_picture


def test_boxes_end_at_the_picture_and_those_beside_it_are_none():
    # Two pictures of 100 x 100 pixels: one with 25 rows of padding above and below, one without.
    frame = torch.tensor([[0.0, 25, 100, 75], [0, 0, 100, 100]])
    boxes = torch.tensor([[10.0, 5, 30, 45], [10, 0, 30, 25], [0, 30, 100, 90], [0, 0, 0, 0]])
    labels = torch.tensor([1, 1, 0, -1])
    found = within_picture({"boxes": boxes.expand(2, 4, 4), "labels": labels.expand(2, 4)}, frame)
    assert found["boxes"][0, [0, 2]].tolist() == [[10, 25, 30, 45], [0, 30, 100, 75]]
    assert found["labels"].tolist() == [[1, -1, 0, -1], [1, 1, 0, -1]]
    assert torch.equal(found["boxes"][1], boxes)
