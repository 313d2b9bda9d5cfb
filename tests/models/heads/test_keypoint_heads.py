"""Heads for the points of one object per picture: losses by hand, answers, and odd targets."""

import math

import numpy as np
import pytest
import torch

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.heads.heatmaps import Heatmaps
from trainwright.models.heads.point_regression import PointRegression, wing_values

CHANNELS, STRIDES, SIZE = (6, 8), (4, 8), (24, 32)
ALL = [
    lambda spec: Heatmaps(spec, CHANNELS, STRIDES, width=8, decode="soft_argmax"),
    lambda spec: Heatmaps(spec, CHANNELS, STRIDES, width=16, maps="mse"),
    lambda spec: PointRegression(spec, CHANNELS, SIZE, hidden=[16]),
    lambda spec: PointRegression(spec, CHANNELS, SIZE, hidden=[], distance="smooth_l1", dropout=0.2),
]


def spec(objects=1, points=3, classes=("face",)):
    return TensorSpec("keypoints", (objects, points, 3), classes=classes)


def maps(batch=2, seed=0):
    draw = torch.Generator().manual_seed(seed)
    shapes = [(SIZE[0] // stride, SIZE[1] // stride) for stride in STRIDES]
    return [torch.randn(batch, c, *s, generator=draw) for c, s in zip(CHANNELS, shapes, strict=True)]


def truth(points, labels=None):
    """A target of one object per picture from `[B, K, 3]`."""
    values = torch.tensor(points, dtype=torch.float32)[:, None]
    boxes = torch.zeros(len(values), 1, 4)
    return {
        "boxes": boxes,
        "labels": torch.zeros(len(values), 1, dtype=torch.int64) if labels is None else labels,
        "points": values,
    }


TWO = truth([[[4, 6, 2], [20, 10, 1], [9, 9, 2]], [[12, 3, 2], [0, 0, 0], [30, 23, 2]]])


@pytest.mark.parametrize("make", ALL)
def test_answers_have_the_form_of_the_target(make):
    head = make(spec()).eval()
    answer = head.predict(maps())
    shapes = {name: tuple(value.shape) for name, value in answer.items()}
    assert shapes == {"boxes": (2, 1, 4), "labels": (2, 1), "scores": (2, 1), "points": (2, 1, 3, 3)}
    assert answer["labels"].dtype == torch.int64
    points = answer["points"]
    torch.testing.assert_close(answer["boxes"][..., :2], points[..., :2].amin(2))
    torch.testing.assert_close(answer["boxes"][..., 2:], points[..., :2].amax(2))
    assert ((points[..., 2] > 0) & (points[..., 2] <= 1)).all()
    assert ((answer["scores"] >= 0) & (answer["scores"] <= 1)).all()


@pytest.mark.parametrize("make", ALL)
def test_hidden_points_do_not_count(make):
    head = make(spec()).eval()
    moved = {**TWO, "points": TWO["points"].clone()}
    moved["points"][1, 0, 1, :2] = torch.tensor([torch.inf, torch.nan])
    want, found = head.loss(maps(), TWO)["points"], head.loss(maps(), moved)["points"]
    assert want.tolist() == found.tolist()
    moved["points"][1, 0, 1] = torch.tensor([2.0, 20.0, 1.0])
    assert head.loss(maps(), moved)["points"][1] != want[1]


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("kind", ["all hidden", "no object", "no row"])
def test_without_a_point_the_loss_is_nothing_and_so_is_its_gradient(make, kind):
    head = make(spec(classes=("cat", "dog")))
    target = {name: value.clone() for name, value in TWO.items()}
    if kind == "all hidden":
        target["points"][..., 2] = 0
    elif kind == "no object":
        target["labels"][:] = -1
        target["points"][:] = torch.nan
    else:
        target = {name: value[:, :0] for name, value in target.items()}
    parts = head.loss(maps(), target)
    total = sum(parts.values())
    assert total.tolist() == [0, 0]
    total.sum().backward()
    assert all(p.grad is None or (p.grad == 0).all() for p in head.parameters())


@pytest.mark.parametrize("make", ALL)
def test_no_sample_depends_on_another(make):
    head = make(spec()).eval()
    both = head.loss(maps(), TWO)["points"]
    for place in range(2):
        alone = {name: value[place : place + 1] for name, value in TWO.items()}
        part = head.loss([map[place : place + 1] for map in maps()], alone)["points"]
        torch.testing.assert_close(part[0], both[place])


@pytest.mark.parametrize("make", ALL)
def test_losses_and_answers_are_float32_under_autocast(make):
    head = make(spec(classes=("a", "b")))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses, answer = head.loss(maps(), TWO), head.predict(maps())
    floats = [*losses.values(), answer["boxes"], answer["scores"], answer["points"]]
    assert {value.dtype for value in floats} == {torch.float32}


def test_the_softmax_loss_is_the_divergence_from_the_gaussian():
    head = Heatmaps(spec(points=1), CHANNELS, STRIDES, convolutions=0, sigma=1.2)
    target = truth([[[13.0, 9.0, 2.0]]])
    raw = head.layers(maps(1)[0])[0, 0].detach().double().numpy()
    rows, columns = np.mgrid[0:6, 0:8]
    # Cells are 4 pixels wide, their centres at 2, 6, 10, ...
    far = ((columns * 4 + 2 - 13) ** 2 + (rows * 4 + 2 - 9) ** 2) / 4**2
    wanted = np.exp(-far / (2 * 1.2**2))
    wanted /= wanted.sum()
    found = np.exp(raw - raw.max())
    found /= found.sum()
    divergence = (wanted * np.log(wanted / found)).sum()
    assert float(head.loss(maps(1), target)["points"].detach()) == pytest.approx(divergence, rel=1e-4)


@pytest.mark.parametrize("decode", ["quadratic", "soft_argmax"])
@pytest.mark.parametrize("kind", ["softmax", "mse"])
def test_a_perfect_map_is_read_finer_than_its_cells(kind, decode):
    head = Heatmaps(spec(points=1), (1, 8), STRIDES, convolutions=0, maps=kind, decode=decode)
    torch.nn.init.ones_(head.layers[0].weight)
    where = torch.tensor([16.3, 11.4])
    y, x = torch.meshgrid(torch.arange(6) * 4 + 2.0, torch.arange(8) * 4 + 2.0, indexing="ij")
    log = -((x - where[0]) ** 2 + (y - where[1]) ** 2) / (2 * (1.5 * 4) ** 2)
    first = log if kind == "softmax" else log.exp()
    answer = head.predict([first[None, None], maps(1)[1]])
    tolerance = 0.01 if decode == "quadratic" else 0.6
    torch.testing.assert_close(answer["points"][0, 0, 0, :2], where, atol=tolerance, rtol=0)
    assert float(answer["scores"].detach()) > 0.9


@pytest.mark.parametrize(
    ("distance", "want"),
    [
        ("l1", [0.5, 12.0]),
        ("smooth_l1", [0.5**2 / 2, 12.0 - 0.5]),
        ("wing", [10 * math.log(1.25), 12 - 10 + 10 * math.log(6)]),
    ],
)
def test_distances_by_hand(distance, want):
    head = PointRegression(spec(points=1), CHANNELS, (100, 100), hidden=[], distance=distance)
    for parameter in head.layers.parameters():
        torch.nn.init.zeros_(parameter)
    # All points are said to be at (50, 50), and a pixel is one percent of the image.
    target = truth([[[50.5, 49.5, 2]], [[62, 38, 2]]])
    torch.testing.assert_close(head.loss(maps(), target)["points"], torch.tensor(want))


def test_wing_is_continuous_where_its_parts_meet():
    near = wing_values(torch.tensor([9.9999, 10.0001], dtype=torch.float64), 10.0, 2.0)
    assert float(near[1] - near[0]) == pytest.approx(0.0002, rel=0.2)


def test_classes_are_learned_beside_the_points():
    head = Heatmaps(spec(classes=("cat", "dog")), CHANNELS, STRIDES)
    target = {**TWO, "labels": torch.tensor([[1], [0]])}
    parts = head.loss(maps(), target)
    logits = head.kind.layer(maps()[1].mean((2, 3)))
    want = torch.nn.functional.cross_entropy(logits, torch.tensor([1, 0]), reduction="none")
    torch.testing.assert_close(parts["class"], want)
    assert head.predict(maps())["labels"][:, 0].tolist() == logits.argmax(1).tolist()


@pytest.mark.parametrize("make", ALL)
def test_several_objects_are_refused_with_the_way_out(make):
    with pytest.raises(ModelError, match="one object per picture") as caught:
        make(spec(objects=2))
    assert "up to 2" in str(caught.value.why) and caught.value.fix
    head = make(spec())
    double = {name: torch.cat([value, value], 1) for name, value in TWO.items()}
    with pytest.raises(ModelError, match="one object per picture"):
        head.loss(maps(), double)


@pytest.mark.parametrize("make", ALL)
def test_points_are_learned(make):
    torch.manual_seed(0)
    features = maps(seed=3)
    head = make(spec()).eval()  # no dropout
    optimizer = torch.optim.Adam(head.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, 200)
    for _ in range(200):
        optimizer.zero_grad()
        head.loss(features, TWO)["points"].sum().backward()
        optimizer.step()
        schedule.step()
    points = head.eval().predict(features)["points"][:, 0]
    error = (points[..., :2] - TWO["points"][:, 0, :, :2]).norm(dim=2)[TWO["points"][:, 0, :, 2] > 0]
    assert float(error.detach().max()) < 2.5  # of cells of 4 pixels
