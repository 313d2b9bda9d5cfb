"""A run that is asked to end between two epochs, and goes on later as if nothing had been."""

from __future__ import annotations

from trainwright.models.weights import load_weights
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunState
from trainwright.workflows.training import resume, train

RECIPE = {
    "extends": "digits",
    "train": {"epochs": 3, "threads": 1, "precision": "fp32", "memory_format": "contiguous"},
    "report": {"enabled": False},
}


def test_a_run_that_is_paused_twice_ends_with_the_same_bits(tmp_path):
    asked = []

    def watch(run, epoch, step, metrics):
        asked.append((epoch, bool(metrics), "val/accuracy" in metrics))
        return f"paused at {epoch}" if asked.count(asked[-1]) == 1 and metrics else None

    first = train(RECIPE, runs_dir=tmp_path / "a", watch=watch)
    assert (first.state, first.reason) == ("interrupted", "paused at 1")
    run = RunDirectory(first.path)
    assert run.record().state is RunState.INTERRUPTED and run.record().exit_reason == "paused at 1"
    assert run.best.exists()  # what is stopped keeps its model
    second = train(RECIPE, runs_dir=tmp_path / "a", watch=watch)
    assert (second.path, second.reason) == (first.path, "paused at 2")
    # Asked again right after each resume, when the metrics are in the run's file alone.
    assert asked == [(1, True, True), (1, False, False), (2, True, True)]
    assert resume(first.path).state == "done"
    whole = train(RECIPE, runs_dir=tmp_path / "b")
    for name in ("best", "last"):
        left = load_weights(run.weights / f"{name}.safetensors")
        right = load_weights(whole.path / "weights" / f"{name}.safetensors")
        assert left.keys() == right.keys()
        assert all((left[key] == right[key]).all() for key in left)
