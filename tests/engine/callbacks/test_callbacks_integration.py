"""Callbacks in real trainings, as a whole and resumed."""

from __future__ import annotations

from typing import Any

import pytest
import tiny_loops
from tiny_loops import bits

from trainwright.engine.callbacks.base import Callback, Callbacks
from trainwright.engine.loop import Loop

EVERY_STEP = {"train.checkpoint.every_steps": 1, "train.log_every": 4, "train.ema": {"decay": 0.9}}


class Noting(Callback):
    """Writes down the events; keeps and stops where it is told to."""

    label = "noted"

    def __init__(self, answers: dict[Any, str] | None = None) -> None:
        self.answers = answers or {}
        self.seen: list[tuple[str, str, int, int]] = []

    def __call__(self, event, mode, epoch, step, logs):
        self.seen.append((event, mode, epoch, step))
        return self.answers.get((event, mode, step))


def loop(noting: Noting, kept: list[tuple[str, int]] | None = None) -> Loop:
    made = tiny_loops.loop(EVERY_STEP)
    made.parts.callbacks = Callbacks({"noting": noting})
    made.state.register("callbacks", made.parts.callbacks)
    if kept is not None:
        made.keep_as = lambda label: kept.append((label, made.position.step))
    return made


def test_the_events_of_an_epoch_in_their_order():
    noting = Noting()
    loop(noting).run()
    first = [item for item in noting.seen if item[2] == 0 and item[0] != "save"]
    assert first == [
        ("start", "train", 0, 0),
        ("during", "train", 0, 4),
        ("during", "train", 0, 6),
        ("end", "train", 0, 6),
        ("start", "val", 0, 6),
        ("end", "val", 0, 6),
    ]
    assert ("save", "val", 0, 6) in noting.seen
    assert [item for item in noting.seen if item[:2] == ("start", "train")] == [
        ("start", "train", epoch, 6 * epoch) for epoch in range(3)
    ]


@pytest.mark.parametrize(
    ("step", "closed"), [(1, None), (5, None), (6, False), (6, True), (9, None), (12, False)]
)
def test_a_resumed_run_calls_them_the_same_way(step: int, closed: bool | None):
    whole, resumed = Noting(), Noting()
    reference = loop(whole)
    reference.run()
    again = loop(resumed)
    again.state.restore(reference.writer.tree(step, closed=closed))  # type: ignore[union-attr]
    again.run()
    assert resumed.seen == whole.seen[-len(resumed.seen) :]
    assert bits(reference.parts.model.state_dict()) == bits(again.parts.model.state_dict())


def test_stop_in_mid_epoch_evaluates_and_ends_as_done():
    noting, kept = (
        Noting({("during", "train", 8): "stop", ("end", "train", 8): "save"}),
        list[tuple[str, int]](),
    )
    stopped = loop(noting, kept)
    outcome = stopped.run()
    assert (outcome.state, outcome.step, outcome.reason) == ("done", 8, "callback noting said so")
    assert "val/loss" in outcome.metrics and kept == [("noted", 8)]
    again = loop(Noting())
    again.state.restore(stopped.writer.tree(8))  # type: ignore[union-attr]
    assert again.run().reason == "callback noting said so"


def test_weights_that_are_kept_are_the_averaged_ones():
    weights: dict[str, bytes] = {}
    noting = Noting({("during", "train", 4): "save", ("end", "val", 6): "save"})
    made = loop(noting)
    made.keep_as = lambda label: weights.update(
        {str(made.position.step): bits(made.parts.model.state_dict())}
    )
    made.run()
    assert weights["6"] == made.writer.best[6]  # type: ignore[union-attr]
    tree = made.writer.tree(4)  # type: ignore[union-attr]
    averaged = tree["model"] | tree["ema"]["averages"]
    assert weights["4"] == bits(averaged)
