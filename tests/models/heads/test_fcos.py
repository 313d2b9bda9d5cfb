"""Boxes without anchors: loss, answer, bad targets."""

from __future__ import annotations

import math

import pytest
import torch
from torchvision import ops

from tests.models.heads.box_truth import BAD, SIZE, STRIDES, features, truth
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.heads.fcos import Fcos
from trainwright.models.heads.grid import grid_of

CLASSES = 3


def head(**options):
    torch.manual_seed(0)
    options = {"depth": 1, "reach": 4.0, "detections": 20} | options
    return Fcos(TensorSpec("boxes", (5, 4), "float32", tuple("abc")), (16,) * 3, STRIDES, SIZE, **options)


def test_loss_is_that_of_a_loop_over_cells():
    model, maps, target = head(), features(), truth()
    with torch.no_grad():
        logits, distances, middle = model.maps(maps)
    grid = grid_of(logits, STRIDES)
    cells = model.cells(target, grid)
    flat = torch.cat([level.flatten(2) for level in logits], 2)
    got = model.loss(maps, target)
    for image in range(2):
        wanted = torch.zeros(CLASSES, grid.size)
        box_loss, weights, centre_loss, count = 0.0, 0.0, 0.0, 0
        for cell, number in enumerate(cells.owner[image].tolist()):
            if number < 0:
                continue
            count += 1
            wanted[target["labels"][image, number], cell] = 1
            x, y = grid.centres()[cell]
            a, b, c, d = (distances[image, :, cell] * grid.steps()[cell]).unbind()
            true = target["boxes"][image, number]
            left, top, right, bottom = x - true[0], y - true[1], true[2] - x, true[3] - y
            centred = math.sqrt(min(left, right) / max(left, right) * min(top, bottom) / max(top, bottom))
            box = torch.stack([x - a, y - b, x + c, y + d])
            box_loss += centred * float(ops.generalized_box_iou_loss(box, true))
            weights += centred
            p = float(middle[image, cell].sigmoid())
            centre_loss -= centred * math.log(p) + (1 - centred) * math.log(1 - p)
        assert count > 0
        class_loss = ops.sigmoid_focal_loss(flat[image], wanted, alpha=0.25, gamma=2, reduction="sum")
        assert got["class"][image].item() == pytest.approx(float(class_loss) / count, rel=1e-5)
        assert got["box"][image].item() == pytest.approx(box_loss / weights, rel=1e-5)
        assert got["centre"][image].item() == pytest.approx(centre_loss / count, rel=1e-5)


@pytest.mark.parametrize("classification", ["focal", "quality_focal"])
def test_a_sample_does_not_depend_on_its_batch(classification):
    model, maps, target = head(classification=classification), features(), truth()
    whole = model.loss(maps, target)
    for image in range(2):
        part = slice(image, image + 1)
        alone = model.loss([m[part] for m in maps], {name: value[part] for name, value in target.items()})
        for name in whole:
            torch.testing.assert_close(alone[name], whole[name][part], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("overlap_loss", ["iou", "giou", "diou", "ciou"])
@pytest.mark.parametrize("classification", ["focal", "quality_focal"])
def test_bad_targets_give_finite_losses_and_gradients(bad, overlap_loss, classification):
    boxes, labels = BAD[bad]
    model = head(overlap_loss=overlap_loss, classification=classification)
    parts = model.loss(features(), {"boxes": boxes, "labels": labels})
    total = sum(parts.values())
    assert total.shape == (2,) and torch.isfinite(total).all()
    total.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    _, kept = model.eval().judge(features(), {"boxes": boxes, "labels": labels})
    assert kept["unowned"].shape == (2,)


@pytest.mark.parametrize("classification", ["focal", "quality_focal"])
def test_answers_have_one_shape_fall_and_lie_in_the_picture(classification):
    model = head(classification=classification, least_score=0.0, candidates=50).eval()
    answer = model.predict(features())
    assert answer["boxes"].shape == (2, 20, 4) and answer["labels"].shape == (2, 20)
    assert (answer["scores"].diff(dim=1) <= 0).all()
    assert (answer["boxes"] >= 0).all() and float(answer["boxes"][..., 2].max()) <= SIZE[1]
    for boxes, labels in zip(answer["boxes"], answer["labels"], strict=True):
        alike = ops.box_iou(boxes, boxes).fill_diagonal_(0) * (labels[:, None] == labels)
        assert float(alike[labels >= 0][:, labels >= 0].max()) <= 0.6 + 1e-6
    silent = head(least_score=0.9).eval().predict(features())
    assert (silent["labels"] == -1).all()


def test_it_learns_and_tells_the_boxes_again():
    model, maps, target = head(reach=4.0), features(), truth()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        sum(model.loss(maps, target).values()).mean().backward()
        optimizer.step()
    answer = model.eval().predict(maps)
    for image in range(2):
        sure = answer["scores"][image] > 0.3
        overlaps = ops.box_iou(target["boxes"][image, :2], answer["boxes"][image, sure])
        best = overlaps.max(1)
        assert (best.values > 0.8).all()
        assert torch.equal(answer["labels"][image, sure][best.indices], target["labels"][image, :2])


def test_levels_of_different_width_are_refused():
    with pytest.raises(ModelError, match="fpn"):
        Fcos(TensorSpec("boxes", (5, 4), "float32", ("a",)), (8, 16), (4, 8), SIZE)
