"""How a run is executed: measured on copies, bounded by drift and margin, remembered."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_loops
import torch

from trainwright.engine import execution_choice
from trainwright.engine.build import build_network, build_task, first_batch
from trainwright.engine.execution_choice import Choice, choose_execution, near
from trainwright.engine.runtime import Execution

OPEN = {
    "model": {"name": "cnn", "widths": [4], "head": 0},
    "train.precision": "auto",
    "train.memory_format": "auto",
}
PLAIN, LAST, LOW = "fp32 contiguous 1 thread", "fp32 channels_last 1 thread", "bf16 channels_last 1 thread"
COMPILED = "fp32 contiguous compiled 1 thread"


class Clockwork:
    """Probes that take the seconds and give the losses they are told to."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.losses: dict[str, list[float]] = {}
        self.measured: list[str] = []
        self.broken: set[str] = set()


@pytest.fixture
def clockwork(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clockwork]:
    told = Clockwork()

    class Probe:
        def __init__(self, *given: Any) -> None:
            self.execution = given[-1]
            self.name = execution_choice._name(self.execution)
            if self.name in told.broken:
                raise RuntimeError("no compiler here")
            told.measured.append(self.name)
            self.losses = told.losses.get(self.name, [2.0, 1.9, 1.8])

        def step(self) -> float:
            return told.seconds.get(self.name, 1.0)

    monkeypatch.setattr(execution_choice, "Probe", Probe)
    yield told


def choose(
    memory: Path, overrides: dict[str, Any] | None = None, *, steps: int | None = 100, threads: int = 1
) -> Choice:
    recipe = tiny_loops.load({**OPEN, **(overrides or {})})
    data, task = tiny_loops.prepared(recipe), build_task(recipe)
    model = build_network(task, recipe, data)
    base = Execution("cpu", threads=threads)
    batch = first_batch(recipe, data, base, training=True)
    return choose_execution(recipe, task, model, batch, base, steps, memory / "execution.json")


def test_the_fastest_is_chosen_and_remembered(tmp_path: Path, clockwork: Clockwork) -> None:
    clockwork.seconds = {PLAIN: 1.0, LAST: 0.5, LOW: 0.7}
    first = choose(tmp_path)
    assert (first.execution.precision, first.execution.channels_last, first.remembered) == (
        "fp32",
        True,
        False,
    )
    assert first.step_seconds == clockwork.seconds
    clockwork.seconds = {PLAIN: 0.1}
    clockwork.measured.clear()
    second = choose(tmp_path)
    assert clockwork.measured == []
    assert second == replace(first, remembered=True)


def test_a_gain_within_the_noise_is_none(tmp_path: Path, clockwork: Clockwork) -> None:
    clockwork.seconds = {LAST: 1.0, PLAIN: 0.96, LOW: 0.97}
    assert choose(tmp_path).execution == Execution("cpu", channels_last=True)


@pytest.mark.parametrize("losses", [[2.0, 1.9, 3.5], [2.3, 1.9, 1.8], [math.nan, 1.9, 1.8]])
def test_a_candidate_whose_losses_drift_is_refused(
    tmp_path: Path, clockwork: Clockwork, losses: list[float]
) -> None:
    clockwork.seconds = {PLAIN: 1.0, LAST: 0.9, LOW: 0.1}
    clockwork.losses = {LOW: losses}
    assert choose(tmp_path).execution.precision == "fp32"
    assert choose(tmp_path).execution.precision == "fp32", "and stays refused when remembered"


def test_nearness_is_relative_and_never_true_of_nan() -> None:
    assert near([2.05, 1.0], [2.0, 1.0])
    assert not near([2.2, 1.0], [2.0, 1.0])
    assert not near([math.nan], [math.nan])
    assert near([0.00001], [0.0])
    assert near([2.0, 2.6], [2.0, 1.9])  # rounding that an update amplified
    assert not near([2.0, 9.0], [2.0, 1.9])


def test_another_model_batch_or_optimizer_is_measured_anew(tmp_path: Path, clockwork: Clockwork) -> None:
    choose(tmp_path)
    for change in (
        {"train.batch_size": 16},
        {"train.optimizer": "sgd"},
        {"model": {"name": "cnn", "widths": [5], "head": 0}},
    ):
        clockwork.measured.clear()
        assert not choose(tmp_path, change).remembered
        assert clockwork.measured


def test_what_is_given_is_not_measured(tmp_path: Path, clockwork: Clockwork) -> None:
    choice = choose(tmp_path, {"train.precision": "bf16", "train.memory_format": "channels_last"})
    assert clockwork.measured == []
    assert (choice.execution.precision, choice.execution.channels_last) == ("bf16", True)
    assert choice.step_seconds == {}


def test_a_short_step_that_is_faster_on_one_thread_takes_one(tmp_path: Path, clockwork: Clockwork) -> None:
    given = {"train.threads": None}
    many = LAST.replace("1 thread", "4 threads")
    clockwork.seconds = {LAST: 0.001, many: 0.002, PLAIN: 0.003}
    assert choose(tmp_path, given, threads=4).execution == Execution("cpu", channels_last=True, threads=1)
    again = choose(tmp_path, given, threads=4)
    assert again.remembered
    assert again.execution.threads == 1


def test_compiling_is_tried_only_when_the_time_that_remains_pays_for_it(
    tmp_path: Path, clockwork: Clockwork
) -> None:
    given = {"train.memory_format": "contiguous", "train.precision": "fp32", "train.compile": "auto"}
    clockwork.seconds = {PLAIN: 0.1, COMPILED: 0.05}
    assert not choose(tmp_path, given, steps=100).execution.compile
    assert COMPILED not in clockwork.measured
    assert not choose(tmp_path, given, steps=None).execution.compile
    # A remembered short run decides nothing for a long one, nor the other way.
    assert choose(tmp_path, given, steps=10_000).execution.compile
    assert clockwork.measured.count(COMPILED) == 1
    assert not choose(tmp_path, given, steps=100).execution.compile
    long = choose(tmp_path, given, steps=10_000)
    assert long.execution.compile
    assert long.remembered
    assert clockwork.measured.count(COMPILED) == 1


def test_a_machine_that_cannot_compile_runs_as_it_is(tmp_path: Path, clockwork: Clockwork) -> None:
    given = {"train.memory_format": "contiguous", "train.precision": "fp32", "train.compile": "auto"}
    clockwork.seconds, clockwork.broken = {PLAIN: 0.1}, {COMPILED}
    assert not choose(tmp_path, given, steps=10_000).execution.compile
    assert choose(tmp_path, given, steps=10_000).remembered


@pytest.mark.parametrize("content", ["", "[]", "{", '{"KEY": 1}', '{"KEY": {"seconds": {}}}', None])
def test_a_damaged_memory_is_measured_anew(tmp_path: Path, clockwork: Clockwork, content: str | None) -> None:
    memory = tmp_path / "execution.json"
    choose(tmp_path)
    (key,) = json.loads(memory.read_text())
    if content is None:
        memory.write_text(memory.read_text().replace(LOW, "other"))
    else:
        memory.write_text(content.replace("KEY", key))
    assert not choose(tmp_path).remembered
    assert choose(tmp_path).remembered


def test_a_memory_that_cannot_be_written_is_no_fault(tmp_path: Path, clockwork: Clockwork) -> None:
    (tmp_path / "file").write_text("")
    assert not choose(tmp_path / "file").remembered


def test_real_probes_leave_the_model_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_choice, "SECONDS", 0.02)
    recipe = tiny_loops.load(OPEN)
    data, task = tiny_loops.prepared(recipe), build_task(recipe)
    model = build_network(task, recipe, data)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    base = Execution("cpu")
    batch = first_batch(recipe, data, base, training=True)
    choice = choose_execution(recipe, task, model, batch, base, 100, tmp_path / "execution.json")
    assert set(choice.step_seconds) == {PLAIN, LAST, LOW}
    assert all(seconds > 0 for seconds in choice.step_seconds.values())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
