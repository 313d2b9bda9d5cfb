"""Where an epoch's time goes, by a clock that the test turns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import tiny_loops
import torch

from trainwright.engine import ledger as module
from trainwright.engine.ledger import EVERY, EpochTimes, Ledger

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


class Clock:
    """Stands until it is turned."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Event:
    """An event of a device whose queue is as fast as the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.at = clock, 0.0

    def record(self) -> None:
        self.at = self.clock.now

    def synchronize(self) -> None:
        """Nothing is ever late."""

    def elapsed_time(self, other: Event) -> float:
        return 1000 * (other.at - self.at)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(torch.cuda, "Event", lambda enable_timing: Event(made))
    return made


def epoch(
    ledger: Ledger, loader: Any, clock: Clock, steps: int = 16, *, data: float, parts: dict[str, float]
) -> None:
    """Takes some steps, each of so many seconds of data and of each part."""
    for _ in range(steps):
        loader.seconds += data
        clock.now += data
        mark = ledger.marker()
        for name, seconds in parts.items():
            clock.now += seconds
            if mark is not None:
                mark(name)


def loader() -> Any:
    return SimpleNamespace(seconds=0.0, copy_seconds=0.0)


def test_parts_of_the_steps_that_are_looked_at_stand_for_all(clock: Clock) -> None:
    source = loader()
    ledger = Ledger(source, CPU)
    epoch(ledger, source, clock, data=1.0, parts={"forward": 2.0, "backward": 3.0, "optimizer": 0.5})
    with ledger.spent("evaluation"):
        clock.now += 10
        with ledger.spent("saving"):
            clock.now += 4
    times = ledger.end(1, 99.0)
    assert times == EpochTimes(
        1,
        16,
        99.0,
        {
            "data": 16.0,
            "forward": 32.0,
            "backward": 48.0,
            "optimizer": 8.0,
            "evaluation": 10.0,
            "saving": 4.0,
        },
    )


def test_what_is_nothing_of_this_is_other(clock: Clock) -> None:
    source = loader()
    ledger = Ledger(source, CPU)
    epoch(ledger, source, clock, EVERY - 1, data=1.0, parts={"forward": 2.0})
    assert ledger.end(1, 0.0).seconds == {"data": EVERY - 1, "other": 2.0 * (EVERY - 1)}


def test_every_epoch_begins_anew(clock: Clock) -> None:
    source = loader()
    ledger = Ledger(source, CPU)
    for number in (1, 2):
        epoch(ledger, source, clock, 8, data=number, parts={"forward": 1.0})
        clock_of_epoch = ledger.end(number, 0.0)
        assert (clock_of_epoch.steps, clock_of_epoch.seconds) == (8, {"data": 8.0 * number, "forward": 8.0})


def test_samples_that_are_slower_than_the_rest_do_not_make_the_epoch_longer(clock: Clock) -> None:
    source = loader()
    ledger = Ledger(source, CPU)
    for number in range(1, 17):
        epoch(ledger, source, clock, 1, data=0.0, parts={"forward": 3.0 if number % EVERY == 0 else 1.0})
    times = ledger.end(1, 0.0)
    assert times.seconds == {"forward": pytest.approx(20.0)}


def test_a_device_that_works_meanwhile_waits_for_no_data(clock: Clock) -> None:
    source = loader()
    ledger = Ledger(source, CUDA)
    for _ in range(16):
        mark = ledger.marker()
        clock.now += 1.0  # of the device, while the host makes the next batch
        source.seconds += 0.8
        if mark is not None:
            mark("forward")
    assert ledger.end(1, 0.0).seconds == {"forward": 16.0}


def test_a_device_that_starves_waits_for_data(clock: Clock) -> None:
    source = loader()
    ledger = Ledger(source, CUDA)
    epoch(ledger, source, clock, data=3.0, parts={"forward": 1.0})
    assert ledger.end(1, 0.0).seconds == {"data": 48.0, "forward": 16.0}


def test_a_training_tells_of_each_epoch_and_its_whole_time() -> None:
    loop = tiny_loops.loop({"train.epochs": 3})
    told: list[EpochTimes] = []
    loop.on_epoch = told.append
    loop.run()
    assert [(times.epoch, times.steps) for times in told] == [(1, 6), (2, 6), (3, 6)]
    assert [times.elapsed for times in told] == sorted(times.elapsed for times in told)
    assert {"data", "evaluation", "saving", "recording"} <= set(told[1].seconds)
    # Of eighteen steps the eighth and the sixteenth are looked at.
    assert all("forward" in times.seconds for times in told[1:])
    whole = sum(sum(times.seconds.values()) for times in told)
    assert whole == pytest.approx(told[-1].elapsed, rel=0.5)
