"""Pages as a browser shows them: nothing fetched, nothing wider than the window, no empty chart."""

from __future__ import annotations

import os
from pathlib import Path

import browser
import numpy as np
import pytest

from trainwright.report import build_report
from trainwright.report.study import Axis, StudyContents, Tried
from trainwright.report.study_page import render_study_page

pytestmark = [
    pytest.mark.skipif(bool(browser.missing()), reason=browser.missing()),
    pytest.mark.xdist_group("browser"),
]
WIDTHS = [1280, 390]


@pytest.fixture
def study_page(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    axes = [
        Axis("train.optimizer.lr", low=1e-4, high=1e-1, log=True),
        Axis("model.widths", choices=("[8, 16]", "[16, 32, 64, 128, 256]")),
    ]
    trials = []
    for number in range(24):
        point = {"train.optimizer.lr": 10 ** rng.uniform(-4, -1), "model.widths": axes[1].choices[number % 2]}
        values = (float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.2, 3)))
        curve = [(epoch, values[0] * (1 - 0.5**epoch)) for epoch in range(1, 5)]
        trials.append(
            Tried(
                number,
                "done",
                values,
                point,
                why_tried=f"random draw {number}",
                curve=curve,
                on_front=number < 3,
            )
        )
    trials.append(Tried(24, "stopped", None, trials[0].point, why_ended="front: dominated by trial 3 " * 4))
    objectives = {"val/accuracy": "maximize", "model/latency_ms": "minimize"}
    path = tmp_path / "study.html"
    path.write_text(
        render_study_page(StudyContents("s", objectives, axes, trials, {"search": "tpe"}, "runs/s.study"))
    )
    return path


@pytest.fixture
def run_page(make_run) -> Path:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 80)
    logits = rng.normal(size=(80, 4)).astype(np.float32)
    logits[np.arange(80), true] += 2
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    names = [
        "cat",
        "dog",
        "a class with a very long name indeed",
        "a_name_without_any_place_to_break_it_anywhere",
    ]
    run = make_run().category("label", names, probabilities, true)
    run.number("price", rng.normal(size=80), rng.normal(size=80))
    run.curves([(step, 1, {"train/loss": 1 / step, "val/loss": 1.2 / step}) for step in range(10, 60, 10)])
    return build_report(run.write())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["study_page", "run_page"])
def test_a_page_in_a_window(request, kind, width, tmp_path):
    path = request.getfixturevalue(kind)
    with browser.opened(path, width) as seen:
        if folder := os.environ.get("TRAINWRIGHT_SCREENSHOTS"):
            seen.page.screenshot(path=str(Path(folder) / f"{kind}-{width}.png"), full_page=True)
        assert seen.errors == [] and seen.fetched == []
        assert seen.overflow() == 0
        assert seen.page.locator("svg").count() >= 2 and seen.empty("svg, img, table") == []


def test_words_of_the_study_can_be_read(study_page):
    with browser.opened(study_page) as seen:
        text = seen.page.inner_text("body")
    for word in ("Pareto front", "model/latency_ms", "random draw 0", "dominated by trial 3"):
        assert word in text
