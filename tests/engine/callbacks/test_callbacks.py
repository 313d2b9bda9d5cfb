"""Callbacks: when they are called, what they may ask for, and that a resume changes nothing about it."""

from __future__ import annotations

import math

import pytest

from trainwright import recipe as recipes
from trainwright import registry
from trainwright.engine.callbacks.base import Callback, Callbacks, build_callbacks
from trainwright.errors import ErrorList, RecipeError, UserError


class Noting(Callback):
    label = "noted"

    def __init__(self, answers=None) -> None:
        self.answers = answers or {}
        self.seen: list[tuple] = []

    def __call__(self, event, mode, epoch, step, logs):
        self.seen.append((event, mode, epoch, step, sorted(logs)))
        return self.answers.get((event, mode, step))


def build(spec):
    return registry.build("callback", spec)


def test_threshold_needs_a_value_and_looks_both_ways():
    with pytest.raises(RecipeError, match="needs a value"):
        build({"name": "threshold", "monitor": "val/loss"})
    rule = build({"name": "threshold", "monitor": "val/loss", "above": 3.0, "below": 0.5, "after_epochs": 1})
    at = lambda value, epoch=1, event="end": rule(event, "val", epoch, 10, {"val/loss": value})  # noqa: E731
    assert [at(1.0), at(3.0), at(0.5), at(math.nan)] == [None, "stop", "stop", None]
    assert [at(9.0, epoch=0), at(9.0, event="save"), at(math.inf)] == [None, None, "stop"]
    assert rule("end", "train", 1, 10, {"train/loss": 9.0}) is None
    at(0.25)
    assert rule.reason == "val/loss reached 0.25, 0.5 is enough"


def test_best_keeps_at_the_chosen_event_in_the_known_direction():
    rule = build({"name": "best", "monitor": "val/accuracy"})
    answers = [
        rule("end", "val", 0, step, {"val/accuracy": value}) for step, value in enumerate([0.5, 0.4, 0.6])
    ]
    assert answers == ["save", None, "save"] and rule.label == "best-val-accuracy"
    assert rule("end", "train", 0, 9, {"val/accuracy": 1.0}) is None
    during = build({"name": "best", "monitor": "step/loss", "event": "during", "of": "train", "file": "low"})
    assert [during("during", "train", 0, s, {"step/loss": v}) for s, v in enumerate([2, 3, 1])] == [
        "save",
        None,
        "save",
    ]
    assert during.label == "low"


def test_best_goes_on_from_its_state():
    first = build({"name": "best", "monitor": "val/loss"})
    first("end", "val", 0, 1, {"val/loss": 0.5})
    second = build({"name": "best", "monitor": "val/loss"})
    second.load_state_dict(first.state_dict())
    assert second("end", "val", 1, 2, {"val/loss": 0.6}) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"monitor": "val/oddness"},
        {"monitor": "val/loss", "file": "best"},
        {"monitor": "val/loss", "file": "../x"},
    ],
)
def test_best_refuses_what_it_cannot_know_or_write(spec):
    with pytest.raises(RecipeError):
        build({"name": "best", **spec})


def test_answers_of_all_are_gathered_and_a_wrong_one_is_refused():
    stopping = Noting({("end", "val", 1): "stop"})
    stopping.reason = "enough"
    chain = Callbacks({"a": Noting({("end", "val", 1): "save"}), "b": stopping, "c": Noting()})
    assert chain.call("end", "val", 0, 1, {"x": 1.0}) == (["noted"], "enough")
    with pytest.raises(RecipeError, match="gave 'halt'"):
        Callbacks({"d": Noting({("end", "val", 1): "halt"})}).call("end", "val", 0, 1, {})


def test_an_error_of_the_users_code_is_told_with_its_place():
    def broken(event, mode, epoch, step, logs):
        return logs["nothing"]

    with pytest.raises(UserError, match=r"callback mine failed at start of train: KeyError") as found:
        Callbacks({"mine": broken}).call("start", "train", 0, 0, {})
    assert "test_callbacks.py" in found.value.why


def test_functions_and_classes_of_the_user(tmp_path, monkeypatch):
    (tmp_path / "my_callbacks.py").write_text(
        "def twice(event, mode, epoch, step, logs, *, at: int):\n"
        "    return 'stop' if step == at else None\n"
        "class Counting:\n"
        "    def __init__(self, *, most: int = 2):\n"
        "        self.most, self.count = most, 0\n"
        "    def __call__(self, event, mode, epoch, step, logs):\n"
        "        self.count += 1\n"
        "        return 'stop' if self.count >= self.most else None\n"
        "    def state_dict(self):\n"
        "        return {'count': self.count}\n"
        "    def load_state_dict(self, state):\n"
        "        self.count = state['count']\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    specs = [
        {"name": "my_callbacks:twice", "at": 7},
        {"name": "my_callbacks:Counting", "most": 3},
        {"name": "my_callbacks:Counting"},
    ]
    chain = build_callbacks(specs)
    assert list(chain.members) == ["twice", "Counting", "Counting-2"]
    assert chain.call("start", "train", 0, 0, {}) == ([], "")
    assert chain.call("start", "train", 0, 7, {}) == ([], "callback twice said so")
    again = build_callbacks(specs)
    again.load_state_dict(chain.state_dict())
    assert again.members["Counting"].count == 2


def test_an_unknown_callback_is_refused_in_the_recipe(tiny):
    with pytest.raises((RecipeError, ErrorList), match="threshold"):
        recipes.load(tiny, ["train.callbacks=[treshold]"])


@pytest.fixture
def tiny():
    import copy

    import tiny_loops

    return copy.deepcopy(tiny_loops.BASE)
