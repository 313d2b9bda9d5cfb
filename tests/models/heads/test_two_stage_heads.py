"""Faster, Mask and Keypoint R-CNN: losses by hand, answers, odd targets."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torchvision import ops

from tests.models.heads.box_truth import BAD, SIZE, STRIDES, features
from tests.models.heads.box_truth import truth as true_boxes
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.heads.base import judged
from trainwright.models.heads.faster_rcnn import FasterRcnn
from trainwright.models.heads.keypoint_rcnn import KeypointRcnn
from trainwright.models.heads.mask_rcnn import MaskRcnn
from trainwright.models.heads.regions import Atlas

HEADS = {
    "faster_rcnn": (FasterRcnn, TensorSpec("boxes", (3, 4), "float32", tuple("abc")), {}),
    "mask_rcnn": (MaskRcnn, TensorSpec("instances", (3, *SIZE), "uint8", tuple("abc")), {"mask_depth": 1}),
    "keypoint_rcnn": (
        KeypointRcnn,
        TensorSpec("keypoints", (3, 4, 3), "float32", tuple("abc")),
        {"point_depth": 1},
    ),
}


def head(name, **options):
    torch.manual_seed(0)
    kind, spec, given = HEADS[name]
    given = {"hidden": [32], "proposals": 20, "samples": 16, "detections": 10} | given | options
    return kind(spec, (16,) * 3, STRIDES, SIZE, **given)


def completed(target):
    """Boxes with masks and points within them."""
    boxes = torch.nan_to_num(target["boxes"], nan=0.0).clamp(-200, 200)
    count = boxes.shape[:2]
    masks = torch.zeros(*count, *SIZE, dtype=torch.uint8)
    for image, row in torch.cartesian_prod(torch.arange(count[0]), torch.arange(count[1])).reshape(-1, 2):
        left, top, right, bottom = boxes[image, row].clamp_min(0).long().tolist()
        masks[image, row, top:bottom, left : (left + right) // 2] = 1
    share = torch.tensor([[0.2, 0.2], [0.8, 0.3], [0.5, 0.9], [0.5, 0.5]])
    places = boxes[..., None, :2] + share * (boxes[..., None, 2:] - boxes[..., None, :2])
    seen = torch.tensor([2.0, 1, 2, 0])[:, None].expand(*count, 4, 1)
    return target | {"masks": masks, "points": torch.cat([places, seen], -1)}


def truth():
    return completed(true_boxes())


@pytest.mark.parametrize("name", HEADS)
def test_evaluation_gives_the_loss_of_training_and_an_answer_of_one_shape(name):
    model, maps = head(name).eval(), features()
    losses = model.loss(maps, truth())
    with torch.no_grad():
        found = judged(model, maps, truth(), answer=True)
    for part, value in losses.items():
        assert torch.equal(found[f"loss_{part}"], value)
    torch.testing.assert_close(found["loss"], sum(losses.values()))
    answer = judged(model, maps, None, answer=True)
    shapes = {part: tuple(value.shape) for part, value in answer.items()}
    further = {"mask_rcnn": {"crops": (2, 10, 28, 28)}, "keypoint_rcnn": {"points": (2, 10, 4, 3)}}
    assert shapes == {"boxes": (2, 10, 4), "labels": (2, 10), "scores": (2, 10)} | further.get(name, {})
    assert (answer["scores"].diff(dim=1) <= 0).all()
    assert (answer["boxes"] >= 0).all() and float(answer["boxes"][..., 2].max()) <= SIZE[1]


def test_losses_of_the_second_stage_are_those_of_a_loop_over_regions():
    model, maps, target = head("mask_rcnn", positive_overlap=0.2), features(), truth()
    torch.nn.init.normal_(model.box.weight, std=0.2)
    with torch.no_grad():
        parts, found = model.loss(maps, target), model.first_stage.predict(maps)
        samples = model._chosen(found, target)
        atlas = Atlas(maps, STRIDES)
        logits, boxes = model.look(atlas, samples.boxes)
        told = model.masks(atlas.cut(samples.boxes, 14)).unflatten(0, samples.labels.shape)
    for image in range(2):
        kinds, places, masks = [], [], []
        for slot in range(16):
            label = int(samples.labels[image, slot])
            if samples.counted[image, slot]:
                kinds.append(-logits[image, slot].log_softmax(0)[label])
            if not samples.positive[image, slot]:
                continue
            true = target["boxes"][image, samples.owner[image, slot]]
            places.append(ops.generalized_box_iou_loss(boxes[image, slot], true))
            left, top, right, bottom = samples.boxes[image, slot].tolist()
            rows = torch.tensor([top + (n + 0.5) / 56 * (bottom - top) for n in range(56)]).long()
            columns = torch.tensor([left + (n + 0.5) / 56 * (right - left) for n in range(56)]).long()
            whole = target["masks"][image, samples.owner[image, slot]].float()
            points = whole[rows.clamp_max(63)][:, columns.clamp_max(95)]
            wanted = (points.reshape(28, 2, 28, 2).mean((1, 3)) >= 0.5).float()
            own = told[image, slot, label].sigmoid()
            masks.append(F.binary_cross_entropy(own, wanted))
        assert len(places) >= 2
        assert float(parts["class"][image]) == pytest.approx(float(sum(kinds)) / len(kinds), rel=1e-4)
        assert float(parts["box"][image]) == pytest.approx(float(sum(places)) / len(places), rel=1e-4)
        # Four of sixteen regions have an object at most.
        assert len(masks) <= 4
        assert float(parts["mask"][image]) == pytest.approx(float(sum(masks)) / len(masks), rel=1e-4)


def test_the_loss_of_points_is_their_divergence_from_gaussians():
    model, maps, target = head("keypoint_rcnn", sigma=2.0), features(), truth()
    with torch.no_grad():
        parts, found = model.loss(maps, target), model.first_stage.predict(maps)
        samples = model._chosen(found, target).first(4)
        raw = model.points(Atlas(maps, STRIDES).cut(samples.boxes, 14))
    raw = F.interpolate(raw, size=(56, 56), mode="bilinear").unflatten(0, (2, 4)).double()
    y, x = torch.meshgrid(torch.arange(56), torch.arange(56), indexing="ij")
    for image in range(2):
        total, count = 0.0, 0
        for slot in range(4):
            if not samples.positive[image, slot]:
                continue
            left, top, right, bottom = samples.boxes[image, slot].tolist()
            for point in range(3):  # the fourth is not annotated
                px, py = target["points"][image, samples.owner[image, slot], point, :2].tolist()
                px, py = (px - left) / (right - left), (py - top) / (bottom - top)
                if not (0 <= px < 1 and 0 <= py < 1):
                    continue
                far = (x + 0.5 - px * 56) ** 2 + (y + 0.5 - py * 56) ** 2
                wanted = torch.exp(-far / 8).double()
                wanted = (wanted / wanted.sum()).flatten()
                told = raw[image, slot, point].flatten().log_softmax(0)
                total += float(F.kl_div(told, wanted, reduction="sum"))
                count += 1
        assert count > 3
        assert float(parts["points"][image]) == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("stage", ["fcos", "retinanet"])
def test_a_sample_does_not_depend_on_its_batch(name, stage):
    model = head(name, first_stage={"name": stage, "depth": 1}).eval()
    maps, target = features(), truth()
    whole = model.judge(maps, target)
    for image in range(2):
        part = slice(image, image + 1)
        alone = model.judge([m[part] for m in maps], {name: value[part] for name, value in target.items()})
        for ours, theirs in zip(alone, whole, strict=True):
            for key, value in ours.items():
                # Of what a mask is made one may be rounded otherwise.
                tolerance = 1.1 if key in ("crops", "areas") else 1e-4
                torch.testing.assert_close(
                    value.detach().float(), theirs[key][part].detach().float(), rtol=1e-4, atol=tolerance
                )


@pytest.mark.parametrize("bad", [*BAD, "no point is visible", "points are not numbers", "half the size"])
@pytest.mark.parametrize("name", HEADS)
def test_bad_targets_give_finite_losses_and_gradients(name, bad):
    target = truth()
    if bad in BAD:
        target = completed(dict(zip(("boxes", "labels"), BAD[bad], strict=True)))
    elif bad == "no point is visible":
        target["points"][..., 2] = 0
    elif bad == "points are not numbers":
        target["points"][..., :2] = math.nan
    else:
        target["masks"] = target["masks"][..., ::2, ::2]
    model = head(name, least_score=0.0)
    parts, kept = model.judge(features(), target)
    total = sum(parts.values())
    assert total.shape == (2,) and torch.isfinite(total).all()
    total.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert all(torch.isfinite(value).all() for value in kept.values())
    if bad in ("no point is visible", "points are not numbers") and name == "keypoint_rcnn":
        assert parts["points"].tolist() == [0, 0]


@pytest.mark.parametrize("name", HEADS)
def test_losses_and_answers_are_float32_under_autocast(name):
    model = head(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses, kept = model.judge([map.bfloat16() for map in features()], truth())
    floats = [value for value in (*losses.values(), *kept.values()) if value.is_floating_point()]
    assert {value.dtype for value in floats} == {torch.float32}


@pytest.mark.parametrize("name", HEADS)
def test_nothing_found_is_an_answer(name):
    silent = head(name, least_score=1.0).eval()
    found = silent.predict(features())
    assert (found["labels"] == -1).all()
    assert all((value == 0).all() for key, value in found.items() if key != "labels")
    _, kept = silent.judge(features(), truth())
    assert name != "mask_rcnn" or (kept["similarity"] == 0).all()


def test_masks_are_compared_where_they_lie():
    model, target = head("mask_rcnn"), truth()
    left = torch.zeros(28, 28, dtype=torch.uint8)
    left[:, :14] = 255
    answer = {
        "boxes": target["boxes"],
        "labels": torch.tensor([[0, 2, -1], [1, 1, -1]]),
        "scores": torch.tensor([[0.9, 0.8, 0.0]] * 2),
        "crops": left.expand(2, 3, 28, 28).clone(),
    }
    kept = model.compare(answer, target)
    # The true masks are the left halves of their boxes.
    assert (kept["similarity"][:, [0, 1], [0, 1]] > 0.9).all()
    assert kept["similarity"][0, 0, 1] == 0 and (kept["similarity"][:, 2] == 0).all()
    torch.testing.assert_close(kept["true_areas"][0, :2], torch.tensor([13.0 * 24, 20 * 50]))
    assert "masks" not in kept


@pytest.mark.parametrize("name", HEADS)
def test_it_learns_and_tells_the_objects_again(name):
    model, maps, target = head(name, least_score=0.3), features(), truth()
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(80):
        optimizer.zero_grad()
        sum(model.loss(maps, target).values()).mean().backward()
        optimizer.step()
    answer = model.eval().predict(maps)
    for image in range(2):
        there = answer["labels"][image] >= 0
        overlaps = ops.box_iou(target["boxes"][image, :2], answer["boxes"][image, there])
        best = overlaps.max(1)
        assert (best.values > 0.75).all()
        assert torch.equal(answer["labels"][image, there][best.indices], target["labels"][image, :2])
        if name == "keypoint_rcnn":
            points = answer["points"][image, there][best.indices]
            assert (points[:, :3, :2] - target["points"][image, :2, :3, :2]).norm(dim=-1).max() < 5
    if name == "mask_rcnn":
        kept = model.compare(answer, target)
        assert (kept["similarity"][:, :, :2].amax(1) > 0.7).all()


def test_levels_of_different_width_are_refused():
    with pytest.raises(ModelError, match="fpn"):
        FasterRcnn(HEADS["faster_rcnn"][1], (8, 16), (4, 8), SIZE)
