"""Boxes in space told from a picture: losses by hand, answers, bad targets."""

from __future__ import annotations

import math

import pytest
import torch

from tests.models.heads.box_truth import BAD, SIZE, STRIDES, features, truth
from trainwright.data.types import Space, TensorSpec
from trainwright.errors import ModelError
from trainwright.models.heads.fcos3d import Fcos3d
from trainwright.models.heads.grid import grid_of
from trainwright.models.heads.lifting import focal_length, lifted, projected, ray_angle

CAMERA = torch.tensor([[80.0, 0, 48, 4], [0, 70, 30, 1], [0, 0, 1, 0.02]])
SPACE = Space(tuple(CAMERA.ravel().tolist()), ((1.5, 1.6, 4.0), (1.0, 1.0, 1.0), (2.0, 2.0, 2.0)), 10.0)
SPEC = TensorSpec("boxes3d", (5, 7), "float32", tuple("abc"), space=SPACE)


def head(**options):
    torch.manual_seed(0)
    fcos = {"name": "fcos", "depth": 1, "reach": 4.0, "detections": 20, "candidates": 50}
    return Fcos3d(SPEC, (16,) * 3, STRIDES, SIZE, detector=fcos | options)


def in_space(target, *, camera=CAMERA):
    """The truth with boxes in space whose centres are seen in the middle of those in the picture."""
    boxes = target["boxes"]
    places = (boxes[..., :2] + boxes[..., 2:]) / 2
    depth = torch.tensor([8.0, 15, 10])[: boxes.shape[1]].expand(boxes.shape[:2])
    cameras = camera.expand(*boxes.shape[:2], 3, 4)
    centres = lifted(places, depth, cameras)
    rest = torch.tensor([1.4, 1.7, 4.2, 0.8]).expand(*boxes.shape[:2], 4)
    return target | {"boxes3d": torch.cat([centres, rest], 2), "projection": cameras}


def test_what_is_lifted_is_seen_at_its_place():
    draw = torch.Generator().manual_seed(0)
    places, depth = torch.rand(50, 2, generator=draw) * 90, torch.rand(50, generator=draw) * 40 + 1
    cameras = CAMERA + 0.05 * torch.randn(50, 3, 4, generator=draw)  # also one that is turned
    points = lifted(places, depth, cameras)
    torch.testing.assert_close(projected(points, cameras), places, rtol=1e-3, atol=1e-2)
    assert torch.equal(points[:, 2], depth)
    assert lifted(places, depth, torch.zeros(50, 3, 4)).isfinite().all()
    assert float(focal_length(CAMERA)) == pytest.approx(math.sqrt(80 * 70))
    assert float(ray_angle(torch.tensor([1.0, 5, 1]))) == pytest.approx(math.pi / 4)


def test_losses_are_those_of_a_loop_over_cells():
    model, maps, target = head(), features(), in_space(truth())
    got = model.loss(maps, target)
    with torch.no_grad():
        _, codes, grid = model._told(maps)
    cells = model.detector.cells(target, grid)
    for image in range(2):
        sums, count = {"place": 0.0, "depth": 0.0, "size": 0.0, "heading": 0.0}, 0
        for cell, number in enumerate(cells.owner[image].tolist()):
            if number < 0:
                continue
            count += 1
            code = codes[image, cell].tolist()
            x, y, z, *size, yaw = target["boxes3d"][image, number].tolist()
            u = (80 * x + 48 * z + 4) / (z + 0.02)
            v = (70 * y + 30 * z + 1) / (z + 0.02)
            across, down = grid.centres()[cell].tolist()
            step = grid.steps()[cell].item()
            sums["place"] += abs(code[0] - (u - across) / step) + abs(code[1] - (v - down) / step)
            sums["depth"] += abs(code[2] - math.log(z / 10))
            common = SPACE.sizes[int(target["labels"][image, number])]
            sums["size"] += sum(
                abs(code[3 + k] - math.log(side / mean))
                for k, (side, mean) in enumerate(zip(size, common, strict=True))
            )
            angle = yaw - math.atan2(x, z)
            sums["heading"] += abs(code[6] - math.sin(angle)) + abs(code[7] - math.cos(angle))
        assert count > 0
        for name, value in sums.items():
            assert got[name][image].item() == pytest.approx(value / count, rel=1e-4)


def test_an_enlarged_picture_asks_for_the_same_depth():
    model, maps = head(), features()
    plain, twice = in_space(truth()), in_space(truth())
    # The same picture taken for one of a camera of twice the focal length shows things at twice the depth.
    longer = CAMERA * torch.tensor([[2.0, 2, 1, 1]] * 2 + [[1.0, 1, 1, 1]])
    twice["boxes3d"] = twice["boxes3d"].clone()
    twice["boxes3d"][..., 2] *= 2
    twice["projection"] = longer.expand_as(twice["projection"])
    torch.testing.assert_close(model.loss(maps, plain)["depth"], model.loss(maps, twice)["depth"])


def test_it_learns_and_tells_the_boxes_again():
    model, maps, target = head(least_score=0.3), features(), in_space(truth())
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(120):
        optimizer.zero_grad()
        sum(model.loss(maps, target).values()).mean().backward()
        optimizer.step()
    _, answer = model.eval().judge(maps, target)
    for image in range(2):
        told = answer["boxes3d"][image, answer["labels"][image] >= 0]
        for true in target["boxes3d"][image, :2]:
            best = told[(told[:, :3] - true[:3]).norm(dim=1).argmin()]
            torch.testing.assert_close(best, true, rtol=0.1, atol=0.25)
    # The picture's own camera is the training pictures' one here.
    plain = model.predict(maps)
    torch.testing.assert_close(plain["boxes3d"], answer["boxes3d"], rtol=1e-4, atol=1e-4)
    assert plain["projection"].shape == (2, 1, 3, 4)


def test_another_camera_moves_what_is_told():
    model, maps, target = head(least_score=0.0).eval(), features(), in_space(truth())
    _, plain = model.judge(maps, target)
    target["projection"] = (CAMERA * torch.tensor([[2.0], [2], [1]])).expand_as(target["projection"])
    _, longer = model.judge(maps, target)
    torch.testing.assert_close(longer["boxes3d"][..., 2], 2 * plain["boxes3d"][..., 2])


@pytest.mark.parametrize("bad", [*BAD, "camera of zeros", "nowhere", "behind", "flat"])
def test_bad_targets_give_finite_losses_and_gradients(bad):
    boxes, labels = BAD.get(bad, BAD["unknown class"])
    target = in_space({"boxes": boxes, "labels": labels if bad in BAD else labels * 0})
    count = boxes.shape[1]
    if bad == "camera of zeros":
        target["projection"] = torch.zeros(2, count, 3, 4)
    elif bad not in BAD:
        wrong = {"nowhere": math.nan, "behind": -3.0, "flat": 0.0}[bad]
        target["boxes3d"] = target["boxes3d"].clone()
        target["boxes3d"][..., {"nowhere": 0, "behind": 2, "flat": 3}[bad]] = wrong
    model = head()
    total = sum(model.loss(features(), target).values())
    assert total.shape == (2,) and torch.isfinite(total).all()
    total.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    _, kept = model.eval().judge(features(), target)
    assert kept["unowned"].shape == (2,) and kept["boxes3d"].isfinite().all()


def test_a_sample_does_not_depend_on_its_batch():
    model, maps, target = head(), features(), in_space(truth())
    whole = model.loss(maps, target)
    for image in range(2):
        part = slice(image, image + 1)
        alone = model.loss([m[part] for m in maps], {name: value[part] for name, value in target.items()})
        for name in whole:
            torch.testing.assert_close(alone[name], whole[name][part], rtol=1e-5, atol=1e-6)


def test_another_detector_is_refused():
    with pytest.raises(ModelError, match="retinanet cannot be the detector"):
        Fcos3d(SPEC, (16,) * 3, STRIDES, SIZE, detector={"name": "retinanet"})
    assert grid_of(features(), STRIDES).size == 8 * 12 + 4 * 6 + 2 * 3
