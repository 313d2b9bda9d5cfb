"""What is read of where the time went, and what is advised."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.runs.directory import RunDirectory
from trainwright.runs.events import append_event
from trainwright.runs.ledger import advice, in_words, read_ledger, shares
from trainwright.runs.record import Attempt, RunRecord

RECIPE = {"train": {"batch_size": 32, "evaluate_every": 1, "log_every": 50}, "data": {"cache": "auto"}}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    made = RunDirectory(tmp_path)
    for epoch, step, attempt, elapsed in (
        (1, 10, 1, 5.0),
        (2, 20, 1, 9.0),
        (3, 30, 1, 13.0),
        (3, 30, 2, 21.0),
    ):
        seconds = {"forward": 1.0, "data": 3.0 * attempt}
        append_event(made.ledger, step, attempt, {"epoch": epoch, "elapsed": elapsed, "seconds": seconds})
    return made


def record() -> RunRecord:
    made = RunRecord("x", "0")
    made.attempts = [Attempt(number, step, 1, "h", 0.0) for number, step in ((1, 0), (2, 20))]
    return made


def test_an_epoch_that_was_repeated_counts_once(run: RunDirectory) -> None:
    lines = read_ledger(run, record())
    assert [(line.epoch, line.elapsed) for line in lines] == [(1, 5.0), (2, 9.0), (3, 21.0)]
    assert shares(lines) == {"data": 12 / 15, "forward": 3 / 15}


def test_lines_of_a_later_version_are_passed_over(run: RunDirectory) -> None:
    append_event(run.ledger, 40, 2, {"other": 1})
    assert len(read_ledger(run, record())) == 3


def test_in_words_the_largest_comes_first() -> None:
    assert in_words({"forward": 0.3, "data": 0.698, "saving": 0.002}) == "waiting for data 70%, forward 30%"


@pytest.mark.parametrize(
    ("found", "recipe", "said"),
    [
        ({"data": 0.62, "forward": 0.38}, {"data": {"cache": "none"}}, "62% of the epochs' time went"),
        ({"data": 0.62, "forward": 0.38}, {"data": {"cache": "none"}}, "data.cache=auto"),
        ({"data": 0.5, "forward": 0.5}, {"data": {"augment": [{"name": "flip"}]}}, "data.augment (flip)"),
        ({"data": 0.5, "forward": 0.5}, RECIPE, "data.workers"),
        ({"evaluation": 0.5, "forward": 0.5}, {"train": {"evaluate_every": 3}}, "train.evaluate_every=6"),
        ({"saving": 0.5, "forward": 0.5}, {"train": {"checkpoint": {"every_steps": 2}}}, "every_steps=20"),
        ({"recording": 0.3, "forward": 0.7}, {"train": {"log_every": 1}}, "train.log_every=10"),
        ({"optimizer": 0.6, "forward": 0.4}, RECIPE, "a larger train.batch_size than 32"),
        ({"other": 0.6, "forward": 0.4}, RECIPE, "steps are short"),
        ({"copies": 0.6, "forward": 0.4}, RECIPE, "copied once"),
        ({"evaluation": 0.4, "data": 0.5, "forward": 0.1}, RECIPE, "would take 50% of its time"),
    ],
)  # fmt: skip
def test_the_largest_part_that_can_be_shortened_is_advised_on(found, recipe, said) -> None:
    assert said in advice(found, recipe)


def test_a_training_that_only_computes_needs_no_advice() -> None:
    assert advice({"forward": 0.5, "backward": 0.4, "evaluation": 0.1}, RECIPE) == ""
    assert advice({}, {}) == ""
