"""Every metric against scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tests.metrics.detection.coco import random_case
from trainwright.data.types import TensorSpec
from trainwright.errors import RecipeError
from trainwright.metrics import NAMES, default_metrics, greater_is_better

FALLING = ("mse", "mae", "rmse", "calibration_error", "crps", "pit", "redshift", "fpr_at_tpr", "nme")


def metric(name, output, target, classes=None, **options):
    return getattr(import_module(f"trainwright.metrics.{name}"), name)(output, target, classes, **options)


def value(name, output, target, **options):
    (only,) = metric(name, output, target, **options).values()
    return only


@st.composite
def classified(draw):
    """Logits with many ties, and ids of which some classes may be absent."""
    c, n = draw(st.integers(2, 6)), draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = rng.integers(-3, 4, (n, c)).astype(np.float32)
    return torch.from_numpy(logits), torch.from_numpy(rng.integers(0, draw(st.integers(1, c)), n))


def probabilities(output):
    return torch.softmax(output.double(), 1).numpy()


@given(classified())
def test_accuracy(case):
    output, target = case
    assert value("accuracy", output, target) == pytest.approx(
        sk.accuracy_score(target, output.numpy().argmax(1))
    )


@given(
    classified(),
    st.sampled_from(["macro", "micro", "weighted"]),
    st.sampled_from(["precision", "recall", "f1"]),
)
def test_precision_recall_f1(case, average, name):
    output, target = case
    score = getattr(sk, f"{name}_score")
    want = score(target, output.numpy().argmax(1), average=average, zero_division=0)
    assert value(name, output, target, average=average) == pytest.approx(want)


@given(classified())
def test_top_k_accuracy_without_ties(case):
    output, target = case
    output = output + torch.rand(output.shape, generator=torch.Generator().manual_seed(0)) * 0.5
    best_first = output.argsort(1, descending=True)
    for k in range(1, output.shape[1]):
        want = float((best_first[:, :k] == target[:, None]).any(1).double().mean())
        assert metric("top_k_accuracy", output, target, k=k) == {f"top_{k}_accuracy": pytest.approx(want)}
        if output.shape[1] > 2:
            theirs = sk.top_k_accuracy_score(target, output, k=k, labels=np.arange(output.shape[1]))
            assert want == pytest.approx(theirs)


@st.composite
def several(draw):
    """Logits with ties and zeros, and memberships of which some classes and samples may have none."""
    c, n = draw(st.integers(1, 5)), draw(st.integers(2, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    members = rng.random((n, c)) < draw(st.sampled_from([0.05, 0.4, 0.9]))
    return rng.integers(-3, 4, (n, c)).astype(np.float32), members.astype(np.float32)


@given(several(), st.sampled_from(["macro", "micro"]), st.sampled_from(["precision", "recall", "f1"]))
def test_precision_recall_f1_of_several_classes(case, average, name):
    output, target = case
    told, true = output > 0, target > 0
    score = partial(getattr(sk, f"{name}_score"), zero_division=0)
    # scikit-learn counts a class that is neither told nor true as 0, here it takes no part.
    seen = np.flatnonzero(told.any(0) | true.any(0))
    each = [score(true[:, place], told[:, place]) for place in seen]
    macro = np.mean(each) if each else np.nan
    want = macro if average == "macro" else score(true.ravel(), told.ravel())
    got = value(name, torch.from_numpy(output), torch.from_numpy(target), average=average)
    assert got == pytest.approx(want, nan_ok=True)


@given(several())
def test_ranking_of_several_classes(case):
    output, target = case
    some = target.any(0)
    both = some & ~target.all(0)
    got = metric("auroc", output, target, per_class=True)
    each = [got[f"auroc.{place}"] for place in range(output.shape[1])]
    want = [sk.roc_auc_score(target[:, place], output[:, place]) for place in np.flatnonzero(both)]
    assert np.array(each)[both].tolist() == pytest.approx(want)
    assert np.isnan(np.array(each)[~both]).all()
    assert got["auroc"] == pytest.approx(np.mean(want) if want else np.nan, nan_ok=True)
    want = [sk.average_precision_score(target[:, place], output[:, place]) for place in np.flatnonzero(some)]
    mean = value("average_precision", output, target)
    assert mean == pytest.approx(np.mean(want) if want else np.nan, nan_ok=True)


@given(several(), st.floats(0.05, 0.95))
def test_yes_and_no_of_several_classes(case, threshold):
    output, target = case
    assert value("exact_match", output, target) == pytest.approx(sk.accuracy_score(target > 0, output > 0))
    probability = 1 / (1 + np.exp(-output.astype(np.float64)))
    if not np.isclose(probability, threshold).any():
        want = 1 - sk.hamming_loss(target > 0, probability > threshold)
        assert value("binary_accuracy", output, target, threshold=threshold) == pytest.approx(want)


def test_a_broken_output_of_several_classes_is_never_right():
    output = np.where(np.eye(3) > 0, 5.0, -5.0)
    output[0] = np.nan
    target = np.eye(3)
    assert value("exact_match", output, target) == pytest.approx(2 / 3)
    assert value("binary_accuracy", output, target) == pytest.approx(6 / 9)
    assert value("recall", output, target) == pytest.approx(2 / 3)
    assert value("auroc", output, target) == pytest.approx((0 + 1 + 1) / 3)
    assert np.isfinite(value("average_precision", output, target))


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(0, 1))
def test_rates_at_a_fixed_rate(seed, size, limit):
    rng = np.random.default_rng(seed)
    target, logits = rng.integers(0, 2, size), rng.integers(-2, 3, (size, 2)).astype(float)
    if not 0 < target.sum() < size:
        return
    score = np.exp(logits[:, 1]) / np.exp(logits).sum(1)
    false, true, least = sk.roc_curve(target, logits[:, 1] - logits[:, 0], drop_intermediate=False)
    got = metric("tpr_at_fpr", logits, target, fpr=limit)
    allowed = np.flatnonzero(false <= float(f"{limit}"))
    assert got[f"tpr_at_fpr_{limit:g}"] == pytest.approx(true[allowed].max())
    threshold = got[f"threshold_at_fpr_{limit:g}"]
    accepted = score >= threshold - 1e-9
    assert accepted[target == 1].mean() == pytest.approx(true[allowed].max())
    assert accepted[target == 0].mean() <= limit + 1e-9
    got = metric("fpr_at_tpr", logits, target, tpr=limit)
    assert got[f"fpr_at_tpr_{limit:g}"] == pytest.approx(false[true >= limit].min())
    assert len(least)


def test_rates_at_a_fixed_rate_of_several_classes():
    rng = np.random.default_rng(0)
    target, logits = rng.integers(0, 3, 200), rng.normal(size=(200, 3))
    logits[np.arange(200), target] += 1
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    def rate(place, scores, own):
        false, true, _ = sk.roc_curve(own[:, place], scores[:, place], drop_intermediate=False)
        return true[false <= 0.1].max()

    own = np.eye(3)[target]
    got = metric("tpr_at_fpr", logits, target, fpr=0.1)
    assert got == {"tpr_at_fpr_0.1": pytest.approx(np.mean([rate(place, p, own) for place in range(3)]))}
    got = metric("tpr_at_fpr", logits, target, ("a", "b", "c"), fpr=0.1, positive="c")
    assert got["tpr_at_fpr_0.1"] == pytest.approx(rate(2, p, own))
    got = metric("tpr_at_fpr", logits, own, fpr=0.1)  # as memberships, each logit for itself
    assert got == {"tpr_at_fpr_0.1": pytest.approx(np.mean([rate(place, logits, own) for place in range(3)]))}
    with pytest.raises(RecipeError, match=r"no class 'cc'"):
        metric("tpr_at_fpr", logits, target, ("a", "b", "c"), positive="cc")
    nothing = metric("fpr_at_tpr", logits[:, :2], np.zeros(200, dtype=int))
    assert np.isnan(nothing["fpr_at_tpr_0.95"])


def test_top_k_accuracy_of_a_constant_output_is_nothing():
    assert value("top_k_accuracy", torch.zeros(8, 10), torch.arange(8), k=5) == 0


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_auroc_and_average_precision_without_ties(classes):
    draw = torch.Generator().manual_seed(classes)
    target = torch.randint(0, classes, (400,), generator=draw)
    output = torch.randn(400, classes, generator=draw) + torch.nn.functional.one_hot(target, classes)
    p = probabilities(output)
    one_vs_rest = [target == c for c in range(classes)]
    want = np.mean([sk.roc_auc_score(y, p[:, c]) for c, y in enumerate(one_vs_rest)])
    assert value("auroc", output, target) == pytest.approx(want, abs=1e-6)
    want = np.mean([sk.average_precision_score(y, p[:, c]) for c, y in enumerate(one_vs_rest)])
    assert value("average_precision", output, target) == pytest.approx(want, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 50))
def test_ranking_with_ties(seed, size):
    from trainwright.metrics import ranking

    rng = np.random.default_rng(seed)
    scores, positive = rng.integers(0, 5, size).astype(float), rng.random(size) < 0.4
    ranked = ranking.rank_positives(scores, scores[positive])
    if positive.any():
        assert ranking.average_precision(ranked) == pytest.approx(
            sk.average_precision_score(positive, scores)
        )
    if 0 < positive.sum() < size:
        assert ranking.auroc(ranked) == pytest.approx(sk.roc_auc_score(positive, scores))
        precision, recall = ranking.precision_recall(ranked)
        theirs = sk.precision_recall_curve(positive, scores)
        points = {(round(float(p), 9), round(float(r), 9)) for p, r in zip(theirs[0], theirs[1], strict=True)}
        assert {
            (round(float(p), 9), round(float(r), 9)) for p, r in zip(precision, recall, strict=True)
        } <= points


@given(classified(), st.integers(1, 20))
def test_calibration_error(case, bins):
    output, target = case
    p = probabilities(output)
    confidence, right = p.max(1), p.argmax(1) == target.numpy()
    want = 0.0
    for low in range(bins):
        inside = (confidence > low / bins) & (confidence <= (low + 1) / bins)
        if inside.any():
            want += abs(confidence[inside].mean() - right[inside].mean()) * inside.mean()
    right_side = value("calibration_error", output, target, bins=bins)
    on_an_edge = np.isclose(confidence * bins % 1, 0, atol=1e-5) | np.isclose(
        confidence * bins % 1, 1, atol=1e-5
    )
    if not on_an_edge[confidence < 1 - 1e-9].any():
        assert right_side == pytest.approx(want, abs=1e-6)


@given(classified())
def test_confusion_matrix(case):
    output, target = case
    labels = np.arange(output.shape[1])
    for normalize, theirs in [("none", None), ("true", "true"), ("predicted", "pred")]:
        want = sk.confusion_matrix(target, output.numpy().argmax(1), labels=labels, normalize=theirs)
        got = metric("confusion_matrix", output, target, normalize=normalize)
        assert list(got.values()) == pytest.approx(want.ravel().tolist())
    assert "confusion.b.a" in metric("confusion_matrix", output[:, :2], target % 2, classes=("a", "b"))


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 3), st.booleans())
def test_numbers(seed, size, columns, constant):
    rng = np.random.default_rng(seed)
    target = np.full((size, columns), 2.5) if constant else rng.normal(3, 2, (size, columns))
    output = target + rng.normal(0, 1, (size, columns))
    got = [value(name, torch.from_numpy(output), torch.from_numpy(target)) for name in ("mse", "mae", "rmse")]
    want = [sk.mean_squared_error(target, output), sk.mean_absolute_error(target, output)]
    assert got == pytest.approx([*want, want[0] ** 0.5])
    r2 = sk.r2_score(target, output) if size > 1 else float("nan")
    assert value("r2", torch.from_numpy(output), torch.from_numpy(target)) == pytest.approx(r2, nan_ok=True)


def test_a_broken_output_is_never_right():
    output = torch.eye(4)
    output[1] = float("nan")
    output[2, 3] = float("nan")
    target = torch.arange(4)
    assert value("accuracy", output, target) == 0.5
    assert value("recall", output, target) == 0.5
    assert value("top_k_accuracy", output, target, k=1) == 0.5
    assert np.isfinite(value("auroc", output, target))


def test_half_precision_is_read():
    output = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
    target = torch.randint(0, 5, (50,), generator=torch.Generator().manual_seed(1))
    half = output.bfloat16()
    assert value("auroc", half, target) == value("auroc", half.float(), target)


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_says_what_it_returns(name):
    module = import_module(f"trainwright.metrics.{name}")
    draw = torch.Generator().manual_seed(0)
    if module.TARGETS == ("distribution",):
        spec = TensorSpec("distribution", (3,), edges=(0, 1, 2, 3))
        got = metric(name, np.full((9, 3), 1 / 3), np.linspace(0, 3, 9)[:, None], spec=spec)
    elif module.TARGETS == ("categories",):
        got = metric(name, torch.randn(9, 3, generator=draw), torch.eye(3).repeat(3, 1))
    elif "number" in module.TARGETS:
        got = metric(name, torch.randn(9, 1, generator=draw), torch.randn(9, 1, generator=draw))
    elif "boxes" in module.TARGETS:
        got = metric(name, *random_case(0))
    elif module.TARGETS == ("boxes3d",):
        found = {"boxes3d": torch.ones(2, 1, 7), "labels": torch.zeros(2, 1, dtype=int)}
        got = getattr(module, name)(found | {"scores": torch.ones(2, 1)}, found)
    elif module.TARGETS == ("mask",):
        kept = {"confusion": torch.ones(2, 3, 3, dtype=int), "boundary": torch.ones(2, 3, 4, dtype=int)}
        got = metric(name, kept, None)
    elif module.TARGETS == ("image",):
        got = getattr(module, name)({name: torch.rand(9, generator=draw)}, None)
    elif module.TARGETS == ("keypoints",):
        place = {"points": torch.ones(2, 1, 3, 3), "boxes": torch.tensor([[[0, 0, 4, 4.0]]] * 2)}
        found = place | {"labels": torch.zeros(2, 1, dtype=int), "scores": torch.ones(2, 1)}
        options = {"sigmas": 0.05} if name == "keypoint_map" else {}
        got = getattr(module, name)(found, found, **options)
    else:
        got = metric(name, torch.randn(9, 3, generator=draw), torch.arange(9) % 3)
    for key in got:
        if name != "confusion_matrix" and key not in ("bias", "pit_mean", "pit_std"):
            falls = name in FALLING or key in ("unowned", "depth_error", "size_error", "yaw_error")
            assert greater_is_better(f"val/label/{key}") is not falls


def test_unknown_and_loss_directions():
    assert greater_is_better("val/loss") is False
    assert greater_is_better("val/top_5_accuracy") is True
    assert greater_is_better("lr") is None
    assert greater_is_better("val/tags/auroc.a big cat") is True
    assert greater_is_better("val/confusion.cat.dog") is None


def test_default_metrics():
    def names(*of):
        return [spec["name"] for spec in default_metrics(*of)]

    assert names("category", 10) == ["accuracy", "f1"]
    assert names("category", 2) == ["accuracy", "f1", "auroc"]
    assert names("category", 100) == ["accuracy", "f1", "top_k_accuracy"]
    assert names("categories", 3) == ["average_precision", "auroc", "f1", "f1"]
    assert names("distribution") == ["mae", "rmse", "r2", "crps"]
    assert names("number") == ["mae", "rmse", "r2"]
    assert names("boxes") == ["map"]


def test_metrics_need_neither_torch_nor_scikit_learn():
    code = (
        "import sys, importlib, trainwright.metrics as m\n"
        "for name in (*m.NAMES, 'bootstrap', 'classification_table', 'ranking'):\n"
        "    importlib.import_module(f'trainwright.metrics.{name}')\n"
        "bad = {'torch', 'sklearn', 'torchmetrics', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
