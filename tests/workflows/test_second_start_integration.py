"""The same recipe once more: done, interrupted, failed or alive; and what Ctrl-C and SIGTERM do."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_processes import Child, Parent, checkpoints, only_run, poll

from trainwright.runs.directory import RunDirectory

RECIPE: dict[str, Any] = {
    "name": "again",
    "data": {
        "source": "digits",
        "inputs": {"image": {"type": "image"}},
        "targets": {"label": {"type": "category"}},
        "split": {"val": 0.1, "test": 0.7},
    },
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.2},
    "train": {
        "steps": 36,
        "batch_size": 32,
        "optimizer": {"name": "sgd", "lr": 0.05},
        "checkpoint": {"every_steps": 3},
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
        "log_every": 4,
    },
    "report": {"enabled": False},
}
PLUGINS = '''
import os, time
import torch
from trainwright.engine.schedules.base import Schedule

class Explosive(Schedule):
    """The rate becomes absurd at a step that the environment names."""

    def __init__(self, total_steps: int, steps_per_epoch: int):
        super().__init__(total_steps, steps_per_epoch)

    def main(self, step: int) -> float:
        return 1e38 if step >= int(os.environ.get("EXPLODE", 10**9)) else 1.0

class Sleepy(torch.nn.Module):
    """Waits in a forward pass until it is told to go on."""

    def __init__(self, in_channels, image_size, num_classes):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, num_classes))
        self.calls = 0

    def forward(self, x):
        self.calls += self.training
        while self.training and self.calls == 20 and os.path.exists(os.environ.get("SLEEP", "")):
            time.sleep(0.002)
        return self.body(x)
'''
SLEEPY = 'model="behaviour:Sleepy"'


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parent]:
    folder = tmp_path_factory.mktemp("again")
    (folder / "again.yaml").write_text(yaml.safe_dump(RECIPE))
    (folder / "behaviour.py").write_text(PLUGINS)
    with Parent(folder) as started:
        yield started


def train(parent: Parent, runs: Path, *given: str, **env: str) -> Child:
    return parent.start("train", "again.yaml", *given, "--runs-dir", str(runs), env=env)


def the_run(runs: Path) -> RunDirectory:
    run = only_run(runs)
    assert run is not None
    return RunDirectory(run)


def attempts(run: RunDirectory) -> list[int]:
    return [attempt.from_step for attempt in run.record().attempts]


def bits(run: RunDirectory) -> tuple[bytes, bytes, Any]:
    return run.best.read_bytes(), run.last.read_bytes(), run.metrics()


@pytest.fixture(scope="module")
def whole(parent: Parent, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The run of nobody's interference."""
    runs = tmp_path_factory.mktemp("whole")
    child = train(parent, runs)
    assert child.wait() == 0, child.said
    return the_run(runs)


def test_a_run_that_is_done_is_shown_and_fresh_repeats_it(parent: Parent, tmp_path: Path) -> None:
    first = train(parent, tmp_path)
    assert first.wait() == 0, first.said
    run = the_run(tmp_path)
    written = (run.path / "run.json").read_bytes()
    again = train(parent, tmp_path)
    assert again.wait() == 0
    assert "is done already; --fresh repeats it" in again.said
    assert str(run.best) in again.said
    assert (run.path / "run.json").read_bytes() == written
    resumed = parent.run("resume", str(run.path))
    assert resumed.code == 0
    assert "done already" in resumed.said
    fresh = train(parent, tmp_path, "--fresh")
    assert fresh.wait() == 0, fresh.said
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == [run.id, f"{run.id}-2"]
    assert bits(RunDirectory(tmp_path / f"{run.id}-2")) == bits(run)


def test_an_interrupted_run_goes_on_and_says_from_which_step(
    parent: Parent, tmp_path: Path, whole: RunDirectory
) -> None:
    child = train(parent, tmp_path)
    poll(child, lambda: (run := only_run(tmp_path)) and any(s >= 9 and done for s, done in checkpoints(run)))
    child.send(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    run = the_run(tmp_path)
    assert run.record().state == "running", "it had no time to say otherwise"
    assert run.state() == "interrupted"
    again = train(parent, tmp_path)
    assert again.wait() == 0, again.said
    assert "was interrupted" in again.said
    [_, start] = attempts(run)
    assert start >= 9
    assert f"resuming at step {start}" in again.said
    assert bits(run) == bits(whole)


def test_a_diverged_run_is_refused_with_the_ways_out(parent: Parent, tmp_path: Path) -> None:
    given = ['train.schedule="behaviour:Explosive"', "train.epochs=6", "train.steps=null"]
    child = train(parent, tmp_path, *given, EXPLODE="20")
    assert child.wait() == 1
    assert "became" in child.said and "the training diverged" in child.said
    assert "Traceback" not in child.said
    run = the_run(tmp_path)
    assert run.state() == "failed"
    again = train(parent, tmp_path, *given)
    assert again.wait() == 2
    assert "this run failed" in again.said
    for way in (f"trainwright resume {run.path} --from best", "--fresh"):
        assert way in again.said
    assert len(attempts(run)) == 1
    rescued = parent.run("resume", str(run.path), "--from", "best")
    assert rescued.code == 0, rescued.said
    assert "going on from the best weights at step" in rescued.said
    assert run.state() == "done"
    values = [value for points in run.metrics().values() for _, value in points]
    assert all(abs(value) < 1e6 for value in values), "what diverged was abandoned"


def test_a_run_that_is_alive_is_refused_with_pid_and_host(parent: Parent, tmp_path: Path) -> None:
    sleep = tmp_path / "sleep"
    sleep.touch()
    runs = tmp_path / "runs"
    child = train(parent, runs, SLEEPY, SLEEP=str(sleep))
    poll(child, lambda: (run := only_run(runs)) and any(s >= 9 for s, _ in checkpoints(run)))
    second = train(parent, runs, SLEEPY)
    assert second.wait() == 2
    assert f"process {child.pid} on {socket.gethostname()} is working on it" in second.said
    run = the_run(runs)
    assert run.state() == "running"
    resumed = parent.run("resume", str(run.path))
    assert resumed.code == 2
    assert f"process {child.pid}" in resumed.said
    sleep.unlink()
    assert child.wait() == 0, child.said
    assert attempts(run) == [0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_says_how_to_go_on(
    parent: Parent, tmp_path: Path, whole: RunDirectory, number: signal.Signals
) -> None:
    child = train(parent, tmp_path)
    poll(child, lambda: (run := only_run(tmp_path)) and any(s >= 9 for s, _ in checkpoints(run)))
    child.send(number)
    assert child.wait() == 130, child.said
    run = the_run(tmp_path)
    assert f"trainwright resume {run.path}" in child.said
    assert "stopping after this step and saving" in child.said
    assert "Traceback" not in child.said
    assert run.record().state == "interrupted"
    step = run.record().progress["step"]
    assert max(s for s, committed in checkpoints(run.path) if committed) == step
    resumed = parent.run("resume", str(run.path))
    assert resumed.code == 0, resumed.said
    assert attempts(run) == [0, step], "nothing is done twice"
    assert bits(run) == bits(whole)


def test_a_second_ctrl_c_stops_at_once(parent: Parent, tmp_path: Path) -> None:
    sleep = tmp_path / "sleep"
    sleep.touch()
    runs = tmp_path / "runs"
    child = train(parent, runs, SLEEPY, SLEEP=str(sleep))
    poll(child, lambda: (run := only_run(runs)) and any(s == 18 and done for s, done in checkpoints(run)))
    child.send(signal.SIGINT)
    poll(child, lambda: "Ctrl-C again" in child.said)
    assert child.code is None, "the step that was begun is not over"
    child.send(signal.SIGINT)
    assert child.wait() == 130
    assert "stopped at once" in child.said
    run = the_run(runs)
    assert run.state() == "interrupted"
    sleep.unlink()
    resumed = parent.run("resume", str(run.path))
    assert resumed.code == 0, resumed.said
    assert attempts(run)[1] == 18


def test_a_damaged_last_checkpoint_is_passed_over_and_the_bits_stay(
    parent: Parent, tmp_path: Path, whole: RunDirectory
) -> None:
    child = train(parent, tmp_path)
    poll(child, lambda: (run := only_run(tmp_path)) and any(s >= 12 for s, _ in checkpoints(run)))
    child.send(signal.SIGINT)
    assert child.wait() == 130, child.said
    run = the_run(tmp_path)
    older, newer = sorted(step for step, _ in checkpoints(run.path))
    damaged = next((run.checkpoints / str(newer)).glob("tensors*"))
    content = bytearray(damaged.read_bytes())
    content[-5] ^= 1
    damaged.write_bytes(content)
    resumed = parent.run("resume", str(run.path))
    assert resumed.code == 0, resumed.said
    assert f"the checkpoint of step {newer} cannot be used" in resumed.said
    assert f"falling back to the checkpoint of step {older}" in resumed.said
    assert attempts(run) == [0, older]
    assert bits(run) == bits(whole)


def test_changed_data_are_no_exact_resume(parent: Parent, tmp_path: Path) -> None:
    child = train(parent, tmp_path)
    poll(child, lambda: (run := only_run(tmp_path)) and any(s >= 3 for s, _ in checkpoints(run)))
    child.send(signal.SIGINT)
    assert child.wait() == 130, child.said
    run = the_run(tmp_path)
    record = json.loads(run.record_file.read_text())
    record["data"]["fingerprint"] = "0" * 64
    run.record_file.write_text(json.dumps(record))
    resumed = parent.run("resume", str(run.path))
    assert resumed.code == 2
    assert "the data changed since the run was started" in resumed.said
