"""Heads with anchors: losses beside torchvision's, answers, bad targets."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssd import SSD

from tests.models.heads.box_truth import BAD, SIZE, STRIDES, features, truth
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.heads.anchor_head import listed
from trainwright.models.heads.retinanet import RetinaNet
from trainwright.models.heads.ssd import Ssd
from trainwright.models.inspect import build_on_meta

HEADS = {
    "retinanet": (RetinaNet, {"depth": 1, "sizes": [2.0, 3.0]}),
    "ssd": (Ssd, {"smallest": 0.3}),
}


def head(name, **options):
    torch.manual_seed(0)
    kind, given = HEADS[name]
    spec = TensorSpec("boxes", (5, 4), "float32", tuple("abc"))
    return kind(spec, (16,) * 3, STRIDES, SIZE, **(given | {"detections": 20} | options))


def judged_by_torchvision(name, model, logits, codes, anchors, owner, target):
    """Losses of one image as torchvision adds them up."""
    listed_targets = [target]
    if name == "retinanet":
        theirs = RetinaNetHead(16, 1, 3)
        theirs.classification_head.BETWEEN_THRESHOLDS = -2
        outputs = {"cls_logits": logits, "bbox_regression": codes}
        found = theirs.compute_loss(listed_targets, outputs, [anchors], [owner])
        return found["classification"], found["bbox_regression"]
    settings = SimpleNamespace(box_coder=BoxCoder((10.0, 10.0, 5.0, 5.0)), neg_to_pos_ratio=model.negatives)
    outputs = {"cls_logits": logits, "bbox_regression": codes}
    listed_targets = [target | {"labels": target["labels"] + 1}]
    found = SSD.compute_loss(settings, listed_targets, outputs, [anchors], [owner])
    return found["classification"], found["bbox_regression"]


@pytest.mark.parametrize("name", HEADS)
def test_losses_of_an_image_are_those_of_torchvision(name):
    model, maps, target = head(name), features(), truth()
    got = model.loss(maps, target)
    with torch.no_grad():
        logits, codes = model.maps(maps)
        anchors = model.anchors(logits)
        owner = model.matches(target, anchors).owner
    assert (owner >= 0).any(1).all() and (owner < -1).any() == (name == "retinanet")
    for image in range(2):
        one = slice(image, image + 1)
        there = target["labels"][image] >= 0
        of_image = {key: value[image][there] for key, value in target.items()}
        wanted = judged_by_torchvision(
            name, model, listed(logits)[one], listed(codes)[one], anchors.boxes(), owner[image], of_image
        )
        torch.testing.assert_close(got["class"][image], wanted[0], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(got["box"][image], wanted[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", HEADS)
def test_a_sample_does_not_depend_on_its_batch(name):
    model, maps, target = head(name), features(), truth()
    whole = model.loss(maps, target)
    for image in range(2):
        part = slice(image, image + 1)
        alone = model.loss([m[part] for m in maps], {key: value[part] for key, value in target.items()})
        for key in whole:
            torch.testing.assert_close(alone[key], whole[key][part], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("box_loss", ["l1", "smooth_l1", "iou", "giou", "diou", "ciou"])
@pytest.mark.parametrize("name", HEADS)
def test_bad_targets_give_finite_losses_and_gradients(name, bad, box_loss):
    boxes, labels = BAD[bad]
    model = head(name, box_loss=box_loss)
    parts = model.loss(features(), {"boxes": boxes, "labels": labels})
    total = sum(parts.values())
    assert total.shape == (2,) and torch.isfinite(total).all()
    total.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    _, kept = model.eval().judge(features(), {"boxes": boxes, "labels": labels})
    lost = bad in ("no area", "inside out", "not a number", "outside")
    assert kept["unowned"].tolist() == [3 * lost] * 2 or bad in ("huge", "outside")


@pytest.mark.parametrize("name", HEADS)
def test_answers_have_one_shape_fall_and_lie_in_the_picture(name):
    model = head(name, least_score=0.0, candidates=50).eval()
    answer = model.predict(features())
    assert answer["boxes"].shape == (2, 20, 4) and answer["labels"].shape == (2, 20)
    assert (answer["scores"].diff(dim=1) <= 0).all()
    assert (answer["boxes"] >= 0).all() and answer["boxes"][..., 2].max().item() <= SIZE[1]
    for boxes, labels in zip(answer["boxes"], answer["labels"], strict=True):
        alike = ops.box_iou(boxes, boxes).fill_diagonal_(0) * (labels[:, None] == labels)
        assert alike[labels >= 0][:, labels >= 0].max().item() <= 0.5 + 1e-6
    silent = head(name, least_score=0.95).eval().predict(features())
    assert (silent["labels"] == -1).all()


@pytest.mark.parametrize("name", HEADS)
def test_loss_and_answer_of_one_forward_are_those_of_two(name):
    model, maps, target = head(name, least_score=0.0).eval(), features(), truth()
    loss, kept = model.judge(maps, target)
    alone = model.predict(maps)
    assert all(torch.equal(loss[key], value) for key, value in model.loss(maps, target).items())
    assert all(torch.equal(kept[key], value) for key, value in alone.items())


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("box_loss", ["smooth_l1", "giou"])
def test_it_learns_and_tells_the_boxes_again(name, box_loss):
    model, maps, target = head(name, box_loss=box_loss), features(), truth()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        sum(model.loss(maps, target).values()).mean().backward()
        optimizer.step()
    answer = model.eval().predict(maps)
    for image in range(2):
        sure = answer["scores"][image] > 0.3
        overlap = ops.box_iou(target["boxes"][image, :2], answer["boxes"][image, sure])
        best = overlap.max(1)
        assert (best.values > 0.8).all()
        assert torch.equal(answer["labels"][image, sure][best.indices], target["labels"][image, :2])


def test_ssd_learns_no_background_where_none_is_wanted():
    maps, target = features(), truth()
    empty = {"boxes": target["boxes"], "labels": torch.full_like(target["labels"], -1)}
    assert head("ssd", negatives=0.0).loss(maps, empty)["class"].tolist() == [0.0, 0.0]
    # An empty picture counts as one with one default box of an object: the three most wrong are learned.
    model = head("ssd")
    with torch.no_grad():
        logits, _ = model.maps(maps)
        wrong = -listed(logits).log_softmax(-1)[..., 0]
        got = model.loss(maps, empty)["class"]
    torch.testing.assert_close(got, wrong.topk(3, dim=1).values.sum(1))


def test_ssd_reads_levels_of_different_width():
    spec = TensorSpec("boxes", (5, 4), "float32", tuple("abc"))
    model = Ssd(spec, (16, 24, 8), STRIDES, SIZE)
    maps = [torch.randn(1, w, SIZE[0] // s, SIZE[1] // s) for w, s in zip((16, 24, 8), STRIDES, strict=True)]
    assert model.eval().predict(maps)["boxes"].shape == (1, 100, 4)


def test_what_a_retinanet_cannot_be_is_refused():
    spec = TensorSpec("boxes", (5, 4), "float32", ("a",))
    with pytest.raises(ModelError, match="fpn"):
        RetinaNet(spec, (8, 16), (4, 8), SIZE)
    with pytest.raises(ModelError, match="background"):
        RetinaNet(spec, (8, 8), (4, 8), SIZE, positive=0.3, negative=0.4)


@pytest.mark.parametrize("name", HEADS)
def test_it_can_be_built_without_memory(name):
    built = build_on_meta(lambda: head(name))
    assert all(parameter.is_meta for parameter in built.parameters())
    assert built.shapes == head(name).shapes
