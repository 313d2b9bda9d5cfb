"""The page of a study, and the numbers on it."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

from trainwright.report.importance import importance
from trainwright.report.study import Axis, StudyContents, Tried
from trainwright.report.study_charts import fronts, history, learning_curves, remaining_gain, slices
from trainwright.report.study_page import importances, render_study_page

AXES = [Axis("lr", low=1e-4, high=1e-2, log=True), Axis("depth", choices=("2", "<b>4</b>"))]
ONE = {"val/accuracy": "maximize"}
TWO = {"val/accuracy": "maximize", "model/parameters": "minimize"}


def trial(number: int, *values: float, **more) -> Tried:
    point = {"lr": 1e-4 * 10 ** (number % 3), "depth": ("2", "<b>4</b>")[number % 2]}
    state = more.pop("state", "done")
    return Tried(number, state, values or None, more.pop("point", point), **more)


def contents(trials, objectives=ONE) -> StudyContents:
    return StudyContents("s", objectives, AXES, trials, {"search": "tpe"}, "runs/s.study")


class Page(HTMLParser):
    """Tags that stand open, text, and addresses that a page would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br", "img", "path", "circle", "rect"):
            self.open.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href") and value[:1] != "#"]

    def handle_endtag(self, tag):
        if tag not in ("path", "circle", "rect"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_places_on_an_axis():
    assert [AXES[0].place(value) for value in (1e-4, 1e-3, 1e-2)] == pytest.approx([0, 0.5, 1])
    assert AXES[1].place("<b>4</b>") == 1 and np.isnan(AXES[0].place(None))


def test_a_page_is_whole_and_fetches_nothing():
    trials = [trial(n, 0.5 + n / 100, float(n), why_tried=f"draw {n}") for n in range(12)]
    trials[11] = trial(11, 0.9, 1.0, on_front=True, intervals={"val/accuracy": [0.8, 1.0]})
    trials.append(trial(12, 0.1, 3.0, state="stopped", why_ended="front: dominated", curve=[(1, 0.1)]))
    trials.append(trial(13, state="failed", why_ended="<script>alert(1)</script>", point={"lr": 1e-3}))
    text = render_study_page(contents(trials, TWO))
    page = Page(text)
    assert page.open == [] and page.fetched == [] and "<script" not in text and "<b>4" not in text
    said = " ".join(page.words)
    for part in ("Pareto front", "0.800 – 1", "draw 3", "front: dominated", "All dimensions at once"):
        assert part in said
    assert text.count('class="line c1"') >= 2


@pytest.mark.parametrize("trials", [[], [trial(0, state="running")], [trial(0, 0.5)], [trial(0, 0.5)] * 2])
def test_a_page_of_a_study_that_has_just_begun(trials):
    assert Page(render_study_page(contents(trials))).open == []


def test_the_best_so_far():
    values = [0.5, 0.3, 0.7, 0.6]
    chart = history(contents([trial(n, value) for n, value in enumerate(values)]))[0]
    assert chart.marks[-1].y.tolist() == [0.5, 0.5, 0.7, 0.7]


def test_a_slice_has_the_trials_in_which_it_was_active():
    trials = [trial(0, 0.5), trial(1, 0.6, point={"lr": 1e-3})]
    first, second = slices(contents(trials))
    assert first.marks[0].x.tolist() == pytest.approx([-4, -3]) and len(second.marks[0].x) == 1


def test_curves_of_stopped_trials_are_grey():
    curve = [(1, 0.1), (2, 0.2)]
    trials = [trial(0, 0.2, curve=curve), trial(1, 0.1, state="paused", curve=curve[:1])]
    chart = learning_curves(contents(trials))
    assert [mark.color for mark in chart.marks] == [0, -1]
    assert learning_curves(contents([trial(0, 0.2)])) is None


def test_a_front_has_its_trials_in_order():
    trials = [trial(0, 0.9, 50.0, on_front=True), trial(1, 0.5, 10.0, on_front=True), trial(2, 0.4, 60.0)]
    chart = fronts(contents(trials, TWO))[0]
    assert chart.marks[-1].x.tolist() == [10, 50] and chart.marks[0].y.tolist() == [0.4]


def test_the_second_half_tells_what_is_left():
    trials = [trial(n, value) for n, value in enumerate([0.5, 0.6, 0.7, 0.65])]
    assert "brought 0.1;" in remaining_gain(contents(trials))
    assert remaining_gain(contents(trials[:3])) == ""


def test_the_dimension_that_matters_has_the_larger_share():
    draws = np.random.default_rng(0)
    places = draws.random((60, 3))
    shares = importance(places, 3 * places[:, 0] + places[:, 2])
    assert shares.sum() == pytest.approx(1) and shares.argsort().tolist() == [1, 2, 0]
    assert shares[0] > 0.7


def test_no_share_where_it_would_be_chance():
    places = np.random.default_rng(0).random((9, 2))
    assert importance(places, places[:, 0]) is None
    assert importance(np.zeros((20, 2)), np.zeros(20)) is None
    assert importances(contents([trial(n, 0.5) for n in range(20)])) == []
