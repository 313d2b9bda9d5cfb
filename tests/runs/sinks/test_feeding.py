"""Every point reaches a sink once, whatever the training and the sink went through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from trainwright.runs.directory import RunDirectory
from trainwright.runs.following import Mark, read_batch
from trainwright.runs.record import RunState
from trainwright.runs.sinks.base import Ending, Point, RunFacts, Sink
from trainwright.runs.sinks.feeding import Fed, SinkConsumer, names_of
from trainwright.runs.spool import Spool


class Noting(Sink):
    """Writes down its calls."""

    def __init__(self, *, forgets: bool = False, broken: bool = False) -> None:
        self.forgets, self.broken = forgets, broken
        self.calls: list[str] = []
        self.points: list[tuple[str, int, float]] = []
        self.endings: list[Ending] = []
        self.facts: RunFacts | None = None

    def open(self, run: RunFacts, memory: Mapping[str, Any]) -> None:
        self.facts = run
        self.calls.append(f"open {dict(memory)}")

    def write(self, points: Sequence[Point]) -> None:
        if self.broken:
            raise ConnectionError("gone")
        self.points += [(item.name, item.step, item.value) for item in points]

    def memory(self) -> dict[str, Any]:
        return {"points": len(self.points)}

    def rewind(self, step: int) -> bool:
        self.calls.append(f"rewind {step}")
        return self.forgets

    def finish(self, ending: Ending) -> None:
        self.endings.append(ending)

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def run(make_run) -> RunDirectory:
    """Values at the steps 10 and 20, done."""
    found: RunDirectory = make_run()
    (found.path / "sinks").mkdir()
    return found


def feed(run: RunDirectory, sink: Sink) -> SinkConsumer:
    """What a follower does, at one go."""
    consumer = SinkConsumer(run, sink, "noting")
    mark = consumer.remembered()
    while (batch := read_batch(run.metrics_file, mark))[0]:
        consumer.take(*batch)
        mark = batch[1]
    return consumer


def resume(run: RunDirectory, from_step: int, values: Mapping[int, float]) -> None:
    """Another attempt, as training would write it."""
    record = run.record()
    attempt = record.begin(from_step)
    with Spool(run.metrics_file, attempt=attempt.number) as spool:
        for step, value in values.items():
            spool.log(step, 1, {"train/loss": value})
    record.end(RunState.DONE, "")
    run.save(record)


def test_points_and_facts_of_a_run(run):
    sink = Noting()
    feed(run, sink).end()
    assert sink.points == [("train/loss", 10, 1.0), ("train/loss", 20, 0.5)]
    assert sink.facts.id == "digits-0123456789" and sink.facts.tags["salt"] == "0123456789"
    assert sink.facts.parameters["train.optimizer.lr"] == 0.01
    assert sink.facts.parameters["model.hidden.1"] == 64
    [ending] = sink.endings
    assert (ending.state, ending.step, ending.metrics) == ("done", 20, {"test/accuracy": 0.97})


def test_a_later_process_goes_on_and_finishes_once(run):
    feed(run, Noting()).end()
    again = Noting()
    feed(run, again).end()
    assert again.points == [] and again.endings == []
    assert again.calls == ["close", "open {'points': 2}", "close"]


def test_a_run_that_is_not_over_is_not_finished(make_run):
    run = make_run(state=RunState.RUNNING)
    (run.path / "sinks").mkdir()
    sink = Noting()
    feed(run, sink).end()
    assert len(sink.points) == 2 and sink.endings == []


def test_repeated_steps_with_equal_values_are_not_given_again(run):
    feed(run, Noting()).end()
    resume(run, 10, {20: 0.5, 30: 0.25})
    sink = Noting()
    feed(run, sink).end()
    assert sink.points == [("train/loss", 30, 0.25)]
    assert "rewind 11" in sink.calls and len(sink.endings) == 1


def test_repeated_steps_with_other_values_are_given(run):
    feed(run, Noting())
    resume(run, 10, {20: 0.75, 30: math.nan})
    resume(run, 20, {30: math.nan, 40: 1.0})
    sink = Noting()
    feed(run, sink)
    assert [(step, value) for _, step, value in sink.points if value == value] == [(20, 0.75), (40, 1.0)]
    assert sum(step == 30 for _, step, _ in sink.points) == 1


def test_a_sink_that_forgets_is_given_everything_anew(run):
    sink = Noting(forgets=True)
    resume(run, 10, {20: 0.5})
    feed(run, sink)
    assert sink.points == [("train/loss", 10, 1.0), ("train/loss", 20, 0.5), ("train/loss", 20, 0.5)]


def test_a_process_that_begins_within_an_attempt_knows_what_it_repeats(run):
    resume(run, 10, {15: 0.7, 20: 0.5})
    consumer = SinkConsumer(run, Noting(), "noting")
    consumer.remembered()
    records, mark = read_batch(run.metrics_file, Mark(), block=1)
    while records[-1].step != 15:
        consumer.take(records, mark)
        records, mark = read_batch(run.metrics_file, mark, block=1)
    consumer.take(records, mark)
    sink = Noting()
    feed(run, sink)
    assert sink.points == []


def test_what_a_sink_did_not_take_is_remembered_with_the_reason(run):
    broken = Noting(broken=True)
    with pytest.raises(ConnectionError):
        feed(run, broken)
    consumer = SinkConsumer(run, broken, "noting")
    consumer.failed("ConnectionError: gone")
    assert Fed.read(consumer.file) == Fed(error="ConnectionError: gone")
    mended = Noting()
    feed(run, mended).end()
    assert len(mended.points) == 2 and Fed.read(consumer.file).error == ""


def test_every_sink_has_a_file_of_its_own():
    specs = [{"name": "mlflow"}, {"name": "tensorboard"}, {"name": "mlflow"}, {"name": "my.pkg:Sink"}]
    assert names_of(specs) == ["mlflow", "tensorboard", "mlflow-2", "my.pkg.Sink"]
