"""Whole reports of synthetic runs: the numbers against scikit-learn, the page against a parser."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn import metrics as sk

from trainwright.errors import RunError
from trainwright.report import build_report
from trainwright.runs.record import Attempt, RunState

COUNT = itertools.count()
EVIL = '<script>alert("1")</script>'


def guesses(seed, size, classes, skill=2.0):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, size)
    logits = rng.normal(size=(size, classes)).astype(np.float32)
    logits[np.arange(size), true] += skill
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True), true


def numbers_of(page, split="test", target="label"):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    report = json.loads((page.parent / "report.json").read_text(), parse_constant=refuse)
    return report["splits"][split]["targets"][target]


def notes_of(page):
    return [note["text"] for note in json.loads((page.parent / "report.json").read_text())["notes"]]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 80), classes=st.integers(2, 7))
def test_category_numbers_equal_scikit_learns(make_run, seed, size, classes):
    probabilities, true = guesses(seed, size, classes)
    names = [f"class {index}" for index in range(classes)]
    run = make_run(f"made-{next(COUNT)}")
    found = numbers_of(build_report(run.category("label", names, probabilities, true).write()))
    predicted = probabilities.argmax(1)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(true, predicted))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(true, predicted, average="macro", zero_division=0))
    assert found["accuracy_interval"][0] <= found["accuracy"] <= found["accuracy_interval"][1]
    counts = sk.confusion_matrix(true, predicted, labels=range(classes))
    assert found["confusion"][0]["counts"] == counts.tolist()
    want = sk.precision_recall_fscore_support(true, predicted, labels=range(classes), zero_division=0)
    for index, row in enumerate(found["classes"]):
        assert row["name"] == names[index]
        assert [row["precision"] or 0, row["recall"] or 0, row["f1"] or 0, row["support"]] == pytest.approx(
            [column[index] for column in want]
        )
        if (true == index).sum() > 0:
            area = sk.average_precision_score(true == index, probabilities[:, index])
            assert row["average_precision"] == pytest.approx(area, abs=1e-6)
    np.fill_diagonal(counts, 0)
    assert sum(pair["count"] for pair in found["confused_pairs"]) <= counts.sum()
    assert [pair["count"] for pair in found["confused_pairs"][:1]] == ([counts.max()] if counts.any() else [])
    losses = [mistake["loss"] for mistake in found["mistakes"]]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == min(24, (predicted != true).sum())


def test_number_numbers_equal_scikit_learns(make_run):
    rng = np.random.default_rng(0)
    true = rng.normal(1000, 5, 400)
    predicted = true + rng.normal(0.5, 2, 400)
    predicted[7] = np.nan
    page = build_report(make_run().number("age", predicted, true).write())
    found, kept = numbers_of(page, target="age"), np.arange(400) != 7
    error = (predicted - true)[kept]
    assert found["samples"] == 399
    assert found["left_out"] == 1
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(true[kept], predicted[kept]))
    assert found["rmse"] ** 2 == pytest.approx(sk.mean_squared_error(true[kept], predicted[kept]))
    assert found["r2"] == pytest.approx(sk.r2_score(true[kept], predicted[kept]))
    assert found["bias"] == pytest.approx(error.mean())
    for key in ("mae", "rmse", "r2", "bias"):
        low, high = found[f"{key}_interval"]
        assert low < found[key] < high
    assert found["quantiles"]["0.9"] == pytest.approx(np.quantile(np.abs(error), 0.9))
    worst = found["worst"][0]
    assert abs(worst["predicted"] - worst["true"]) == pytest.approx(np.abs(error).max())
    assert any("too high on average" in note for note in notes_of(page))
    assert any("1 samples without a finite" in note for note in notes_of(page))


def test_several_targets_and_splits_each_have_their_section(make_run, read_page):
    probabilities, true = guesses(0, 50, 3)
    run = make_run().category("label", ["a", "b", "c"], probabilities, true)
    run.category("label", ["a", "b", "c"], *guesses(1, 30, 3), split="val")
    run.number("pose", np.ones((50, 2)), np.zeros((50, 2)))
    page = build_report(run.write())
    report = json.loads((page.parent / "report.json").read_text())
    assert list(report["splits"]) == ["test", "val"]
    assert list(report["splits"]["test"]["targets"]) == ["label", "pose[0]", "pose[1]"]
    text = read_page(page).text
    assert text.index("On the test split") < text.index("On the val split")
    assert "Accuracy of label" in text
    assert "Mean absolute error of pose[1]" in text


def assert_self_contained(parsed, text):
    assert parsed.problems == []
    assert all(value.startswith(("#", "data:image/")) for value in parsed.references)
    assert not {"link", "iframe", "object", "embed", "base"} & set(parsed.tags)
    assert not re.search(r"@import|url\(|https?://|\bfetch\(|XMLHttpRequest", text)


def test_the_page_needs_nothing_else(make_run, read_page):
    probabilities, true = guesses(0, 60, 4, skill=0.5)
    run = (
        make_run()
        .category("label", list("abcd"), probabilities, true)
        .number("n", probabilities[:, 0], true * 1.0)
    )
    run.curves([(step, 1, {"train/loss": 1 / step, "lr": 0.1}) for step in range(1, 30)])
    page = build_report(run.write(), picture=lambda row: np.full((8, 8, 3), row, np.uint8))
    parsed = read_page(page)
    assert_self_contained(parsed, page.read_text())
    assert len(parsed.images) >= 24


def test_everything_from_data_is_escaped(make_run, read_page):
    probabilities, true = guesses(0, 60, 2, skill=0.5)
    run = make_run().category(f"label{EVIL}", [EVIL, "b$\\alpha$'\"&"], probabilities, true)
    run.columns["test"]["sample"] = [f"{EVIL}{row}" for row in range(60)]
    run.record.name, run.record.exit_reason = EVIL, EVIL
    run.record.packages, run.record.command = {EVIL: EVIL}, [EVIL]
    run.curves([(step, 1, {f"train/{EVIL}": 1.0, EVIL: 2.0}) for step in range(1, 4)])
    path = run.write()
    (path / "recipe.resolved.yaml").write_text(f"description: '{EVIL}'  # {EVIL}\nname: x\n")
    (path / "timings.json").write_text(json.dumps({EVIL: 1.0}))
    (path / "data").mkdir()
    (path / "data" / "summary.json").write_text(json.dumps({"sizes": {EVIL: 3}, "dropped": 1}))
    (path / "data" / "dropped.csv").write_text(
        f"name,{EVIL}\n{EVIL},<img src=x onerror=alert(1)>\n".replace('"', "")
    )
    page = build_report(path)
    parsed = read_page(page)
    assert_self_contained(parsed, page.read_text())
    assert parsed.tags.count("script") == 1
    assert "img" not in parsed.tags
    assert parsed.text.count(EVIL) > 20


def test_pictures_of_the_worst_mistakes(make_run, read_page):
    probabilities, true = guesses(3, 40, 3, skill=0.0)
    asked = []

    def picture(row):
        asked.append(row)
        if row % 3 == 0:
            return None
        if row % 3 == 1:
            raise OSError("the file is gone")
        return np.full((300, 200, 1) if row % 2 else (28, 28, 3), row, np.uint8)

    page = build_report(
        make_run().category("label", list("abc"), probabilities, true).write(), picture=picture
    )
    mistakes = numbers_of(page)["mistakes"]
    assert sorted(asked) == sorted(mistake["row"] for mistake in mistakes)
    assert len(read_page(page).images) == sum(row % 3 == 2 for row in asked)
    failed = sum(row % 3 == 1 for row in asked)
    assert any(note.startswith(f"{failed} pictures could not be read") for note in notes_of(page))
    with Image.open(page.parent / "plots" / "test-label-mistakes.png") as gallery:
        assert gallery.width > 100


def test_plots_are_written_and_listed(make_run):
    probabilities, true = guesses(0, 60, 40)
    run = make_run().category("label", [f"c{i}" for i in range(40)], probabilities, true)
    run.curves([(step, 1, {"train/loss": 1.0, "val/loss": 2.0}) for step in range(5)])
    run.number("a/b", true * 1.0, true + 0.5).number("a_b", true * 1.0, true + 0.5)
    page = build_report(run.write())
    listed = json.loads((page.parent / "report.json").read_text())["plots"]
    there = sorted(path.name for path in (page.parent / "plots").iterdir())
    assert sorted(listed) == there
    assert {"learning-curves.png", "test-label-confusion.png", "test-label-confusion-closeup.png"} <= set(
        there
    )
    assert sum(name.endswith("-residuals.png") for name in there) == 2
    for name in there:
        with Image.open(page.parent / "plots" / name) as image:
            image.load()
            assert image.format == "PNG"


def test_many_classes_stay_readable_and_small(make_run, read_page):
    probabilities, true = guesses(0, 3000, 1200)
    page = build_report(
        make_run().category("label", [f"class {i}" for i in range(1200)], probabilities, true).write()
    )
    parsed = read_page(page)
    assert "The most confused classes" in parsed.text
    assert "The 1000 weakest of 1,200 classes" in parsed.text
    assert page.stat().st_size < 2_000_000
    assert len(numbers_of(page)["classes"]) == 1200


def test_one_class_unknown_truth_and_no_prediction(make_run, read_page):
    probabilities = np.ones((5, 1), np.float32)
    probabilities[2] = np.nan
    run = make_run().category("label", ["only"], probabilities, np.array([0, 0, 0, -1, 0]))
    page = build_report(run.write())
    found = numbers_of(page)
    assert (found["samples"], found["unlabelled"], found["right"]) == (4, 1, 3)
    assert found["auroc"] is None
    assert_self_contained(read_page(page), page.read_text())


def test_a_split_without_any_truth(make_run, read_page):
    run = make_run().category("label", ["a", "b"], np.full((3, 2), 0.5), np.full(3, -1))
    run.number("n", np.ones(3), np.full(3, np.nan))
    page = build_report(run.write())
    assert numbers_of(page)["accuracy"] is None
    assert numbers_of(page, target="n")["mae"] is None
    assert "No sample of this split has a known class" in read_page(page).text


def test_an_empty_run_still_has_a_page(make_run, read_page):
    run = make_run()
    run.record.state, run.record.exit_reason = RunState.INTERRUPTED, "SIGINT"
    run.record.progress = {"step": 1234, "epoch": 2, "total_steps": 9999}
    page = build_report(run.write())
    assert_self_contained(read_page(page), page.read_text())
    assert "The run was interrupted at step 1,234 of 9,999: SIGINT." in notes_of(page)
    assert any("No split has been evaluated" in note for note in notes_of(page))


def test_a_resumed_and_diverging_run(make_run, read_page):
    again = Attempt(2, 5, 1, "here", 100.0, 130.0, RunState.DONE)
    values = [{"train/loss": 1.0 if step < 9 else float("nan")} for step in range(1, 11)]
    run = make_run().curves(
        [(step, 1, {"train/loss": 7.0}) for step in range(1, 9)]
        + [(step, 2, value) for step, value in enumerate(values, start=1) if step > 5],
        attempts=[again],
    )
    page = build_report(run.write())
    notes = " ".join(notes_of(page))
    assert "train/loss was not finite twice, first at step 9." in notes
    assert "resumed once" in notes
    assert "no validation split" in notes
    assert ">resumed<" in page.read_text()
    assert "Time 90 s" in read_page(page).text  # 60 seconds, then 30; not the pause between


def test_single_steps_stand_behind_the_means_of_epochs(make_run, read_page):
    fine = [(step, 1, {"step/loss": 1.0 / step, "step/lr": 0.1 / step}) for step in range(1, 41)]
    means = [(step, 1, {"train/loss": 0.5, "val/loss": 0.6, "lr": 0.1, "step/f1": 1.0}) for step in (20, 40)]
    run = make_run().curves(fine + means)
    run.record.progress, run.record.best = (
        {"step": 40, "epoch": 2},
        {"step": 20, "monitor": "val/loss", "value": 0.6},
    )
    text = read_page(build_report(run.write())).text
    assert "step train val" in text  # the legend, from back to front
    assert text.count("Learning rate") == 1
    assert "epoch 1, step 20: val/loss 0.6000" in text


def test_the_same_run_gives_the_same_report(make_run):
    probabilities, true = guesses(0, 50, 3)
    path = make_run().category("label", list("abc"), probabilities, true).write()
    first = (build_report(path).parent / "report.json").read_text()
    assert (build_report(path).parent / "report.json").read_text() == first


def test_a_damaged_or_missing_run_is_one_readable_error(make_run, tmp_path):
    with pytest.raises(RunError, match="there is no such run"):
        build_report(tmp_path / "absent")
    path = make_run().write()
    (path / "timings.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        build_report(path)


def test_a_report_needs_neither_torch_nor_pyplot(make_run):
    probabilities, true = guesses(0, 50, 3)
    path = make_run().category("label", list("abc"), probabilities, true).write()
    code = (
        "import sys; from trainwright.report import build_report\n"
        "assert 'matplotlib' not in sys.modules\n"
        f"build_report({str(path)!r})\n"
        "bad = {'torch', 'sklearn', 'pandas', 'matplotlib.pyplot'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
