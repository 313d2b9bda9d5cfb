"""Losses of boxes against torchvision's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from torchvision import ops

from trainwright.losses.boxes import OVERLAP_LOSSES
from trainwright.losses.boxes.confidence import absent, present, present_with_quality

THEIRS = {
    "giou": ops.generalized_box_iou_loss,
    "diou": ops.distance_box_iou_loss,
    "ciou": ops.complete_box_iou_loss,
}


def boxes(count, seed):
    draw = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=draw, dtype=torch.float64) * 60
    return torch.cat([corner, corner + 0.5 + torch.rand(count, 2, generator=draw).double() * 40], 1)


@pytest.mark.parametrize("name", THEIRS)
def test_losses_and_gradients_are_those_of_torchvision(name):
    ours, theirs = boxes(500, 0).requires_grad_(), boxes(500, 0).requires_grad_()
    true = boxes(500, 1)
    mine = OVERLAP_LOSSES[name](ours, true)
    want = THEIRS[name](theirs, true)
    torch.testing.assert_close(mine, want, rtol=1e-6, atol=1e-6)
    mine.sum().backward()
    want.sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-5, atol=1e-6)


def test_iou_by_hand_and_against_torchvision():
    a, b = torch.tensor([[0.0, 0.0, 10.0, 10.0]]), torch.tensor([[5.0, 0.0, 15.0, 10.0]])
    assert float(OVERLAP_LOSSES["iou"](a, b)) == pytest.approx(2 / 3)
    first, second = boxes(200, 2), boxes(200, 3)
    want = 1 - ops.box_iou(first, second).diagonal()
    torch.testing.assert_close(OVERLAP_LOSSES["iou"](first, second), want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", OVERLAP_LOSSES)
def test_boxes_without_area_and_huge_ones_give_finite_losses_and_gradients(name):
    true = torch.tensor([[5.0, 5, 5, 5], [0, 0, 0, 0], [-1e6, -1e6, 1e6, 1e6], [3, 4, 9, 4]])
    for box in (true, true + torch.tensor([-1e-3, -1e-3, 1e-3, 1e-3])):
        leaf = box.clone().requires_grad_()
        value = OVERLAP_LOSSES[name](leaf, true)
        assert torch.isfinite(value).all()
        value.sum().backward()
        assert torch.isfinite(leaf.grad[:, :]).all() or box is true


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_losses_are_those_of_torchvision(gamma):
    logits = torch.randn(300, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 4
    for wanted, ours in ((0.0, absent), (1.0, present)):
        want = ops.sigmoid_focal_loss(logits, torch.full_like(logits, wanted), alpha=-1, gamma=gamma)
        torch.testing.assert_close(ours(logits, gamma), want)


def test_quality_focal_loss_by_its_formula():
    logits = torch.tensor([-2.0, 0.0, 1.0, 30.0], dtype=torch.float64, requires_grad=True)
    quality = torch.tensor([0.1, 0.5, 0.9, 1.0], dtype=torch.float64)
    p = logits.detach().sigmoid()
    cross = -(quality * F.logsigmoid(logits.detach()) + (1 - quality) * F.logsigmoid(-logits.detach()))
    value = present_with_quality(logits, quality, 2.0)
    torch.testing.assert_close(value.detach(), (quality - p).abs() ** 2 * cross)
    value.sum().backward()
    assert torch.isfinite(logits.grad).all()
