"""TensorBoard's own reader reads what the sink wrote."""

from __future__ import annotations

import math

import pytest

from trainwright.runs.sinks.base import Point
from trainwright.runs.sinks.tensorboard import TensorBoardSink


def read(folder):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulators.EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    found.Reload()
    return found


def series(found, tag):
    return [(item.step, item.value) for item in found.Scalars(tag)]


def test_curves_figures_and_final_metrics(facts, points, ending):
    sink = TensorBoardSink()
    sink.open(facts, {})
    sink.write(points)
    sink.finish(ending)
    found = read(facts.path / "tensorboard")
    assert series(found, "val/accuracy") == [(10, 0.5), (20, 0.75)]
    assert math.isnan(found.Scalars("val/f1[cat]")[0].value)
    assert series(found, "train/loss") == [(20, math.inf)]
    assert series(found, "train/loss/box") == [(20, -math.inf)]
    assert series(found, "final/test/accuracy") == [(20, pytest.approx(0.7))]
    assert found.Images("learning-curves")[0].width == 1
    assert b"name: digits" in found.Tensors("recipe")[0].tensor_proto.string_val[0]
    assert set(found.PluginTagToContent("hparams")) == {
        "_hparams_/session_start_info",
        "_hparams_/session_end_info",
    }


def test_steps_repeated_after_a_resume_are_one_series(facts):
    first = TensorBoardSink()
    first.open(facts, {})
    first.write([Point("loss", step, step / 8, 0, 1e9 + step) for step in (1, 2, 3, 4)])
    second = TensorBoardSink()
    second.open(facts, first.memory())
    assert second.rewind(3)
    second.write([Point("loss", step, step / 2, 0, 2e9 + step) for step in (3, 4, 5)])
    expected = [(1, 0.125), (2, 0.25), (3, 1.5), (4, 2.0), (5, 2.5)]
    assert series(read(facts.path / "tensorboard"), "loss") == expected


def test_what_was_written_after_the_memory_is_cut_off(facts):
    first = TensorBoardSink()
    first.open(facts, {})
    memory = first.memory()
    first.write([Point("loss", 1, 1.0, 0, 1e9)])  # killed before this was remembered
    second = TensorBoardSink()
    second.open(facts, memory)
    second.write([Point("loss", 1, 1.0, 0, 1e9)])
    assert series(read(facts.path / "tensorboard"), "loss") == [(1, 1.0)]


def test_runs_may_go_to_a_folder_of_the_users(facts, tmp_path):
    sink = TensorBoardSink(folder=str(tmp_path / "board"))
    sink.open(facts, {})
    assert len(list((tmp_path / "board" / facts.id).glob("events.out.tfevents.*"))) == 1
