"""Every loss against a slow and obvious loop over samples and values."""

from __future__ import annotations

import math
from importlib import import_module

import pytest
import torch

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.losses import DEFAULTS, default_loss

NAMES = [
    "cross_entropy",
    "focal",
    "bce",
    "mse",
    "mae",
    "huber",
    "log_cosh",
    "poisson",
    "hinge",
    "kl",
    "cosine",
    "quantile",
]
NUMBER = ["quantile", "mse", "mae", "huber", "log_cosh", "poisson"]
B, C = 7, 4


def loss_of(name):
    return getattr(import_module(f"trainwright.losses.{name}"), name)


@pytest.fixture
def logits():
    return torch.randn(B, C, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3


@pytest.fixture
def ids():
    return torch.tensor([0, 1, 2, 3, 3, 1, 0])


@pytest.fixture
def numbers():
    draw = torch.Generator().manual_seed(1)
    return torch.randn(B, 3, generator=draw).double() * 2, torch.randn(B, 3, generator=draw).double().abs()


def softmax(row):
    powers = [math.exp(x) for x in row]
    return [p / sum(powers) for p in powers]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def smoothed(row, y, by):
    p = softmax(row)
    want = [(1 - by) * (j == y) + by / len(row) for j in range(len(row))]
    return -sum(w * math.log(q) for w, q in zip(want, p, strict=True))


def cosine_of(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


CATEGORY_CASES = [
    ("cross_entropy", {}, lambda row, y: -math.log(softmax(row)[y])),
    ("cross_entropy", {"label_smoothing": 0.1}, lambda row, y: smoothed(row, y, 0.1)),
    ("focal", {}, lambda row, y: -((1 - softmax(row)[y]) ** 2) * math.log(softmax(row)[y])),
    ("focal", {"gamma": 0.5}, lambda row, y: -((1 - softmax(row)[y]) ** 0.5) * math.log(softmax(row)[y])),
    (
        "bce",
        {},
        lambda row, y: (
            sum(-math.log(sigmoid(x) if j == y else 1 - sigmoid(x)) for j, x in enumerate(row)) / C
        ),
    ),
    ("hinge", {}, lambda row, y: sum(max(0, 1 - row[y] + x) for j, x in enumerate(row) if j != y) / C),
    (
        "hinge",
        {"margin": 2.0, "power": 2},
        lambda row, y: sum(max(0, 2 - row[y] + x) ** 2 for j, x in enumerate(row) if j != y) / C,
    ),
    ("kl", {}, lambda row, y: -math.log(softmax(row)[y])),
    ("cosine", {}, lambda row, y: 1 - cosine_of(row, [float(j == y) for j in range(C)])),
]


@pytest.mark.parametrize(("name", "options", "reference"), CATEGORY_CASES)
def test_category_losses(name, options, reference, logits, ids):
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    want = torch.tensor([reference(row.tolist(), y) for row, y in zip(logits, ids.tolist(), strict=True)])
    assert torch.allclose(loss_of(name)(logits, ids, **options), want.double(), atol=1e-6)
    assert torch.allclose(
        loss_of(name)(logits, ids, weights, **options), want.double() * weights[ids], atol=1e-6
    )


NUMBER_CASES = [
    ("mse", {}, lambda x, t: (x - t) ** 2),
    ("mae", {}, lambda x, t: abs(x - t)),
    ("huber", {}, lambda x, t: (x - t) ** 2 / 2 if abs(x - t) <= 1 else abs(x - t) - 0.5),
    (
        "huber",
        {"delta": 0.3},
        lambda x, t: (x - t) ** 2 / 2 if abs(x - t) <= 0.3 else 0.3 * (abs(x - t) - 0.15),
    ),
    ("log_cosh", {}, lambda x, t: math.log(math.cosh(x - t))),
    ("quantile", {}, lambda x, t: abs(x - t) / 2),
    ("quantile", {"q": 0.9}, lambda x, t: 0.9 * (t - x) if t > x else 0.1 * (x - t)),
    ("poisson", {}, lambda x, t: math.exp(x) - t * x),
]


@pytest.mark.parametrize(("name", "options", "reference"), NUMBER_CASES)
def test_number_losses(name, options, reference, numbers):
    output, target = numbers
    rows = zip(output.tolist(), target.tolist(), strict=True)
    want = torch.tensor([sum(map(reference, *row)) / 3 for row in rows], dtype=torch.float64)
    assert torch.allclose(loss_of(name)(output, target, **options), want, atol=1e-6)


def test_poisson_of_a_rate(numbers):
    output, target = numbers[0].abs() + 0.1, numbers[1]
    want = (output - target * output.log()).mean(1)
    assert torch.allclose(loss_of("poisson")(output, target, log_input=False), want, atol=1e-6)


def test_cosine_of_vectors(numbers):
    want = torch.tensor([1 - cosine_of(*row) for row in zip(*(x.tolist() for x in numbers), strict=True)])
    assert torch.allclose(loss_of("cosine")(*numbers), want.double(), atol=1e-6)


@pytest.mark.parametrize("name", ["cross_entropy", "focal", "bce", "kl", "cosine"])
def test_one_hot_rows_equal_class_ids(name, logits, ids):
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    rows = torch.nn.functional.one_hot(ids, C).double()
    assert torch.allclose(
        loss_of(name)(logits, rows, weights), loss_of(name)(logits, ids, weights), atol=1e-6
    )


def binary_focal(x, t, gamma=2.0):
    p = sigmoid(x)
    return -((1 - p) ** gamma) * math.log(p) if t else -(p**gamma) * math.log(1 - p)


def binary_cross_entropy(x, t, by=0.0):
    p, wanted = sigmoid(x), t * (1 - by) + by / 2
    return -wanted * math.log(p) - (1 - wanted) * math.log(1 - p)


@pytest.mark.parametrize(
    ("name", "options", "reference"),
    [
        ("bce", {}, binary_cross_entropy),
        ("bce", {"label_smoothing": 0.2}, lambda x, t: binary_cross_entropy(x, t, 0.2)),
        ("focal", {}, binary_focal),
        ("focal", {"gamma": 0.5}, lambda x, t: binary_focal(x, t, 0.5)),
    ],
)
def test_several_classes_at_once_are_weighed_class_by_class(name, options, reference, logits):
    """A sample without any class still teaches: its loss is not weighed by what it has."""
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    members = (torch.rand(B, C, generator=torch.Generator().manual_seed(3)) < 0.4).double()
    members[2] = 0
    spec = TensorSpec("categories", (C,), classes=tuple("abcd"))
    rows = list(zip(logits.tolist(), members.tolist(), strict=True))
    want = [sum(map(reference, *row)) / C for row in rows]
    got = loss_of(name)(logits, members, spec=spec, **options)
    assert got.tolist() == pytest.approx(want)
    want = [
        sum(w * reference(x, t) for w, x, t in zip(weights.tolist(), *row, strict=True)) / C for row in rows
    ]
    got = loss_of(name)(logits, members, weights, spec, **options)
    assert got.tolist() == pytest.approx(want)
    assert got[2] > 0


def test_kl_of_soft_labels(logits):
    want = torch.softmax(torch.arange(C).double(), 0)
    p = torch.tensor([softmax(row.tolist()) for row in logits], dtype=torch.float64)
    reference = [sum(t * (math.log(t) - math.log(q)) for t, q in zip(want, row, strict=True)) for row in p]
    got = loss_of("kl")(logits, want.expand(B, C))
    assert torch.allclose(got, torch.tensor(reference).double(), atol=1e-6)
    assert float(loss_of("kl")(want.log()[None], want[None])) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_right_and_finite(name, logits, ids, numbers):
    output, target = numbers if name in NUMBER else (logits, ids)
    leaf = output.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss_of(name)(x, target), leaf)
    extreme = (torch.sign(output) * 60).float().requires_grad_()
    loss = loss_of(name)(extreme, target.float() if name in NUMBER else target)
    assert loss.shape == (B,)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(extreme.grad).all()


def test_focal_gradient_where_the_model_is_sure():
    sure = torch.tensor([[200.0, 0.0]], requires_grad=True)
    loss_of("focal")(sure, torch.tensor([0]), gamma=0.5).sum().backward()
    assert torch.isfinite(sure.grad).all()


def test_log_cosh_does_not_overflow():
    assert float(loss_of("log_cosh")(torch.tensor([[1e4]]), torch.zeros(1, 1))) == pytest.approx(
        1e4 - math.log(2)
    )


@pytest.mark.parametrize("name", NUMBER)
def test_shapes_never_broadcast(name):
    with pytest.raises(ModelError, match=r"shape \[5, 1\], the target \[5\]"):
        loss_of(name)(torch.zeros(5, 1), torch.zeros(5))


@pytest.mark.parametrize("name", NAMES)
def test_suited_types_are_declared(name):
    declared = import_module(f"trainwright.losses.{name}").TARGETS
    assert set(declared) <= set(DEFAULTS)
    assert ("number" in declared) == (name in [*NUMBER, "cosine"])


@pytest.mark.parametrize("type", DEFAULTS)
def test_default_loss_suits_its_type(type):
    name = default_loss(type)["name"]
    assert type in import_module(f"trainwright.losses.{name}").TARGETS


def test_class_ids_out_of_range_are_refused(logits):
    with pytest.raises(IndexError):
        loss_of("cross_entropy")(logits, torch.full((B,), C))
