"""The layout and the true state of a run."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
import yaml

from trainwright.errors import RunError
from trainwright.runs.directory import RunDirectory, create_numbered
from trainwright.runs.record import RunRecord, RunState


def test_layout(tmp_path):
    run = RunDirectory(tmp_path / "a-0123456789")
    names = {
        "recipe.yaml": run.recipe,
        "recipe.resolved.yaml": run.resolved,
        "run.json": run.record_file,
        "weights/best.safetensors": run.best,
        "weights/last.safetensors": run.last,
        "state": run.checkpoints,
        "processors.json": run.processors,
        "metrics.jsonl": run.metrics_file,
        "results.csv": run.results,
        "data": run.data,
        "log.txt": run.log,
        "plots": run.plots,
        "report.html": run.report,
        "evaluation/test": run.evaluation("test"),
        "export/onnx": run.export("onnx"),
    }
    assert {str(path.relative_to(run.path)) for path in names.values()} == set(names)
    assert run.id == "a-0123456789" and not run.path.exists()


def test_create_writes_recipe_and_record_and_refuses_a_second(runs_dir):
    run = RunDirectory(runs_dir / "a-0123456789")
    with run.acquire():
        run.create(RunRecord("a", "0123456789"), as_given="name: a # mine\n", resolved="name: a\n")
        assert run.recipe.read_text() == "name: a # mine\n"
        assert yaml.safe_load(run.resolved.read_text()) == {"name": "a"}
        with pytest.raises(RunError, match="already"):
            run.create(RunRecord("a", "0123456789"), as_given="", resolved="")
    assert RunDirectory.open(run.path).record().name == "a"


def test_directory_left_by_a_kill_before_its_record_is_taken_over(runs_dir):
    run = RunDirectory(runs_dir / "a-0123456789")
    run.weights.mkdir(parents=True)
    (run.path / ".recipe.9-0.partial.yaml").touch()
    with run.acquire():
        run.create(RunRecord("a", "0123456789"), as_given="", resolved="")
    assert not list(run.path.glob(".*"))


def test_open_says_what_is_missing(tmp_path):
    with pytest.raises(RunError, match="no such run"):
        RunDirectory.open(tmp_path / "no")
    with pytest.raises(RunError, match="not a run directory"):
        RunDirectory.open(tmp_path)


@pytest.mark.parametrize("state", list(RunState))
def test_state_without_a_process(make_run, state):
    run = make_run(state=state)
    assert run.state() is (RunState.INTERRUPTED if state is RunState.RUNNING else state)


def test_killed_run_is_never_shown_as_running(make_run):
    run = make_run(state=RunState.RUNNING)
    code = """
import sys
from trainwright.runs.directory import RunDirectory
RunDirectory(sys.argv[1]).acquire()
print("held", flush=True)
sys.stdin.read()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code, run.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None and child.stdout.readline() == b"held\n"
    assert run.state() is RunState.RUNNING
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert run.state() is RunState.INTERRUPTED
    assert run.record().state is RunState.RUNNING  # nobody could write the truth


def test_run_that_is_being_resumed_is_running(make_run):
    run = make_run(state=RunState.FAILED)
    with run.acquire():
        assert run.state() is RunState.RUNNING
    assert run.state() is RunState.FAILED


def test_metrics_leave_out_what_a_resume_abandoned(make_run):
    run = make_run()
    record = run.record()
    record.begin(from_step=15)
    run.save(record)
    assert run.metrics() == {"train/loss": [(10, 1.0)]}
    run.write_results()
    assert run.results.read_text() == "epoch,step,train/loss\n1,10,1.0\n"


def test_numbered_directories(tmp_path):
    names = [create_numbered(tmp_path / "runs" / "a").id for _ in range(3)]
    assert names == ["a", "a-2", "a-3"]
