"""Losses of masks against slow and obvious sums over pixels."""

from __future__ import annotations

import itertools
from importlib import import_module

import numpy as np
import pytest
import torch

from trainwright.losses.reduction import VOID

NAMES = ["cross_entropy", "focal", "dice", "tversky", "lovasz"]
B, C, H, W = 3, 4, 5, 6


def loss_of(name):
    return getattr(import_module(f"trainwright.losses.{name}"), name)


@pytest.fixture
def logits():
    return torch.randn(B, C, H, W, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2


@pytest.fixture
def ids():
    """Masks with void pixels; the second does not show class 3, the last shows nothing."""
    found = torch.randint(0, C, (B, H, W), generator=torch.Generator().manual_seed(1))
    found[0, :2] = VOID
    found[1][found[1] == 3] = 1
    found[2] = VOID
    return found


WEIGHTS = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)


def pixels(logits, ids):
    """Probabilities and true class of each pixel that has one."""
    p = torch.softmax(logits, 0).numpy()
    return [(p[:, y, x], int(ids[y, x])) for y in range(H) for x in range(W) if ids[y, x] >= 0]


def of_pixels(of):
    def mean(logits, ids, weights):
        found = [weights[true] * of(p[true]) for p, true in pixels(logits, ids)]
        return sum(found) / len(found) if found else 0.0

    return mean


def of_regions(of):
    def mean(logits, ids, weights):
        known = pixels(logits, ids)
        shown = sorted({true for _, true in known})
        values = [
            of(sum(p[c] for p, t in known if t == c), sum(p[c] for p, _ in known), known, c) for c in shown
        ]
        total = sum(weights[c] for c in shown)
        return sum(weights[c] * v for c, v in zip(shown, values, strict=True)) / total if shown else 0.0

    return mean


def dice_of(hits, area, known, c):
    return 1 - 2 * hits / (area + sum(t == c for _, t in known))


def tversky_of(a, b):
    def of(hits, area, known, c):
        return 1 - hits / (hits + a * (area - hits) + b * (sum(t == c for _, t in known) - hits))

    return of


def lovasz_of(hits, area, known, c):
    """The integral over thresholds of the Jaccard loss of the errors above them."""
    errors = np.array([abs(float(t == c) - p[c]) for p, t in known])
    true = np.array([t == c for _, t in known])
    total, levels = 0.0, np.sort(np.append(errors, 0.0))
    for low, high in itertools.pairwise(levels):
        wrong = errors >= high
        predicted = true ^ wrong
        total += (high - low) * (1 - (true & predicted).sum() / (true | predicted).sum())
    return total


CASES = [
    ("cross_entropy", {}, of_pixels(lambda p: -np.log(p))),
    ("focal", {"gamma": 1.5}, of_pixels(lambda p: -((1 - p) ** 1.5) * np.log(p))),
    ("dice", {}, of_regions(dice_of)),
    ("tversky", {}, of_regions(tversky_of(0.3, 0.7))),
    ("tversky", {"false_positives": 0.8, "false_negatives": 0.1}, of_regions(tversky_of(0.8, 0.1))),
    ("lovasz", {}, of_regions(lovasz_of)),
]


@pytest.mark.parametrize(("name", "options", "reference"), CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_losses_of_masks(name, options, reference, weighted, logits, ids):
    weights = WEIGHTS if weighted else torch.ones(C, dtype=torch.float64)
    want = [reference(*pair, weights.tolist()) for pair in zip(logits, ids, strict=True)]
    got = loss_of(name)(logits, ids, weights if weighted else None, **options)
    torch.testing.assert_close(got, torch.tensor(want, dtype=torch.float64))
    assert float(got[2]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_does_not_depend_on_its_batch(name, logits, ids):
    alone = [loss_of(name)(logits[[place]], ids[[place]]) for place in range(B)]
    torch.testing.assert_close(loss_of(name)(logits, ids), torch.cat(alone))


@pytest.mark.parametrize("name", NAMES)
def test_one_hot_shares_equal_class_ids(name, logits, ids):
    shares = torch.nn.functional.one_hot(ids.clamp_min(0), C).permute(0, 3, 1, 2).double()
    shares = shares * (ids >= 0)[:, None]
    for weights in (None, WEIGHTS):
        torch.testing.assert_close(
            loss_of(name)(logits, shares, weights), loss_of(name)(logits, ids, weights)
        )


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_right_and_finite(name, logits, ids):
    leaf = logits[:, :, :2, :3].clone().requires_grad_()
    target = ids[:, 1:3, :3].contiguous()
    assert torch.autograd.gradcheck(lambda x: loss_of(name)(x, target), leaf)
    extreme = (torch.sign(logits) * 80).float().requires_grad_()
    loss = loss_of(name)(extreme, ids, WEIGHTS.float())
    loss.sum().backward()
    assert loss.shape == (B,)
    assert torch.isfinite(loss).all()
    assert torch.isfinite(extreme.grad).all()
    assert not extreme.grad[2].any()  # of the picture without a class


@pytest.mark.parametrize("name", ["dice", "tversky", "lovasz"])
def test_a_perfect_answer_costs_nothing(name, ids):
    sure = torch.nn.functional.one_hot(ids.clamp_min(0), C).permute(0, 3, 1, 2) * 1000.0
    assert loss_of(name)(sure, ids).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
