"""Whether a training fits: refused, made in parts, or told, by what is free and what a step takes."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from trainwright import recipe as recipes
from trainwright.engine.memory_bound import Counted
from trainwright.engine.runtime import Execution
from trainwright.engine.step_estimate import Measured
from trainwright.errors import UserError
from trainwright.progress import NoProgress
from trainwright.workflows import room as rooms
from trainwright.workflows.room import Free, Room, Verdict, probe_sizes, refuse_a_full_disk
from trainwright.workflows.step_probe import Probed, ProbeFailed
from trainwright.workflows.training import load_data

MIB = 1 << 20
EXECUTION = Execution("cpu", evaluation_batch=64)
SMALL = Counted(weights=MIB, trained=MIB, kept=MIB / 2, row=1000)
LARGE = Counted(weights=MIB, trained=MIB, kept=40 * MIB, row=1000)


@pytest.fixture(scope="module")
def data():
    return load_data(recipes.load("digits"), NoProgress())


@pytest.fixture
def room(data):
    """A room with so many MiB free, for a recipe with some values."""

    def make(free: int, **train):
        loaded = recipes.load("digits", {f"train.{key}": value for key, value in train.items()})
        return Room(loaded, data, EXECUTION, lambda _: Free(free * MIB, 2 * free * MIB, "a machine", False))

    return make


@pytest.fixture
def probed(monkeypatch):
    """Probes of a training that takes 100 MiB and 10 MiB more for each sample of a forward pass."""
    asked = []

    def answer(_loaded, _execution, sizes, limit):
        asked.append((sizes, limit))
        return Probed(tuple(Measured(s, m, (100 + 10 * m) * MIB, 0, 0.1 + s / 100) for s, m in sizes))

    monkeypatch.setattr(rooms, "probe_steps", answer)
    return asked


def test_plenty_of_memory_needs_no_probe(room, probed):
    verdict = room(16000).judge(SMALL)
    assert verdict.micro_batch is None and not verdict.worth_telling
    assert "counted" in verdict.lines[0] and "15.6 GiB of 31.2 GiB are free on a machine" in verdict.lines[0]
    assert probed == []


def test_it_is_measured_where_that_is_not_clear_or_asked_for(room, probed):
    [memory, time] = room(2000, batch_size=64).judge(Counted(MIB, MIB, 5 * MIB, 1000)).lines
    assert "about 740 MiB (measured with 32 and 56 samples a step)" in memory
    assert "about 0.74 s a step" in time
    [(sizes, limit)] = probed
    assert sizes == [(32, 32), (56, 32), (56, 56)] and limit == int(0.6 * 2000 * MIB)
    assert "measured" in room(16000, batch_size=64).judge(SMALL, probe=True).lines[0]


def test_what_does_not_fit_is_refused_with_parts_that_would(room, probed):
    with pytest.raises(UserError) as caught:
        room(600, batch_size=64).judge(Counted(MIB, MIB, 5 * MIB, 1000))
    error = caught.value
    assert error.where == "train.batch_size"
    assert "64 samples takes about 740 MiB of memory, but 600 MiB" in error.what
    # 100 + 10 * 32 = 420 MiB fit into 600 less the reserve, and the whole does not.
    assert "train.micro_batch=32" in error.fix and "BatchNorm sees 32" in error.fix


def test_parts_are_made_where_the_recipe_lets_them(room, probed):
    verdict = room(600, batch_size=64, micro_batch="auto").judge(Counted(MIB, MIB, 5 * MIB, 1000))
    assert verdict.micro_batch == 32 and verdict.worth_telling
    assert "32 samples at a time, 2 parts a step" in verdict.lines[-1]
    execution = verdict.applied(EXECUTION)
    assert (execution.micro_batch, execution.evaluation_batch) == (32, 32)


def test_parts_that_do_not_help_are_not_offered(room, probed):
    with pytest.raises(UserError) as caught:
        room(105, batch_size=64, micro_batch=2).judge(Counted(MIB, MIB, MIB / 10, 1000), probe=True)
    assert caught.value.where == "train.micro_batch"
    assert "does not help" in caught.value.fix


def test_a_training_in_spite_of_it_is_told(room, probed):
    verdict = room(600, batch_size=64, memory_check="report").judge(Counted(MIB, MIB, 5 * MIB, 1000))
    assert verdict.micro_batch is None and "about 740 MiB" in verdict.lines[0]
    assert room(1, memory_check="none").judge(LARGE) == Verdict(None, [])


def test_what_certainly_does_not_fit_is_refused_without_a_probe(room, probed):
    with pytest.raises(UserError) as caught:
        room(1000, batch_size=64).refuse_what_cannot_be(Counted(MIB, MIB, 20 * MIB, 1000))
    assert "train.micro_batch=32" in caught.value.fix
    assert "20.0 MiB are kept of each" in caught.value.why
    assert probed == []


def test_a_model_beyond_the_memory_is_the_model_s_fault(room):
    with pytest.raises(UserError) as caught:
        room(100).refuse_what_cannot_be(Counted(80 * MIB, 80 * MIB, 0.0, 1000))
    assert caught.value.where == "model" and "parameters" in caught.value.fix


def test_a_probe_that_took_too_much_is_an_answer(room, monkeypatch):
    monkeypatch.setattr(rooms, "probe_steps", lambda *_: Probed((), exceeded=True))
    with pytest.raises(UserError) as caught:
        room(600, batch_size=64).judge(Counted(MIB, MIB, 5 * MIB, 1000))
    assert "more than 360 MiB for" in caught.value.why


def test_a_probe_that_fails_leaves_it_at_the_count(room, monkeypatch):
    def fail(*_):
        raise ProbeFailed("what a step takes could not be measured", why="it ended")

    monkeypatch.setattr(rooms, "probe_steps", fail)
    assert "counted" in room(600, batch_size=64).judge(Counted(MIB, MIB, 5 * MIB, 1000)).lines[0]


@pytest.mark.parametrize(
    ("samples", "sizes"),
    [
        (1, [(1, 1)]),
        (3, [(3, 3)]),
        (4, [(2, 2), (3, 2), (3, 3)]),
        (256, [(128, 128), (224, 128), (224, 224)]),
    ],
)
def test_sizes_are_half_and_seven_eighths_of_the_step(samples, sizes):
    assert probe_sizes(SMALL, samples, 1 << 40) == sizes


def test_sizes_shrink_until_the_largest_should_take_no_more_than_it_may():
    sizes = probe_sizes(LARGE, 256, 2000 * MIB)
    assert LARGE.at_most(*sizes[-1]) <= 2000 * MIB < LARGE.at_most(2 * sizes[-1][0], 2 * sizes[-1][1])


@pytest.fixture
def disk(monkeypatch):
    """A disk with 10 MiB free."""
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * MIB, 90 * MIB, 10 * MIB))


def test_a_disk_too_small_for_checkpoints_is_refused_before(disk, tmp_path):
    with pytest.raises(UserError) as caught:
        refuse_a_full_disk(recipes.load("digits").recipe, SMALL, tmp_path / "runs" / "one")
    assert caught.value.where == str(tmp_path)
    assert "10.0 MiB are free" in caught.value.what and "--runs-dir" in caught.value.fix


def test_runs_below_a_file_are_refused_before(tmp_path):
    file = tmp_path / "diary.txt"
    file.touch()
    with pytest.raises(UserError, match="no folder") as caught:
        refuse_a_full_disk(recipes.load("digits").recipe, SMALL, file / "runs")
    assert caught.value.where == str(file) and "--runs-dir" in caught.value.fix


@pytest.mark.parametrize("choice", ["report", "none"])
def test_it_is_not_refused_where_the_recipe_says_so(disk, tmp_path, monkeypatch, choice):
    told = []
    monkeypatch.setattr(rooms.logger, "warning", lambda *words: told.append(words))
    refuse_a_full_disk(recipes.load("digits", {"train.memory_check": choice}).recipe, SMALL, tmp_path)
    assert len(told) == (choice == "report")
