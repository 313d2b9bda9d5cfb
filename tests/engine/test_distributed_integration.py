"""Two processes on one machine train as one does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_processes import Child, Parent, checkpoints, only_run, overrides
from safetensors.torch import load_file, save

from trainwright.engine.checkpoint import CheckpointStore
from trainwright.engine.state_tree import flatten
from trainwright.runs.directory import RunDirectory

RECIPE: dict[str, Any] = {
    "name": "shared",
    "data": {
        "source": "digits",
        "inputs": {"image": {"type": "image"}},
        "targets": {"label": {"type": "category"}},
        "split": {"val": 0.1, "test": 0.71},
    },
    "model": {"name": "mlp", "hidden": [20]},
    "train": {
        "steps": 200,
        "batch_size": 34,
        "optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.9},
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
        "log_every": 1,
        "evaluate_every": 5,
    },
    "report": {"enabled": False},
}
RANDOM: dict[str, Any] = {
    "model": {"name": "cnn", "widths": [4], "head": 8, "dropout": 0.3, "batch_norm": True},
    "data.augment": [{"name": "random_crop", "padding": 1}],
    "train.optimizer": {"name": "adamw", "lr": 0.01},
    "train.memory_format": "channels_last",
    "train.ema": {"decay": 0.9},
    "train.micro_batch": 10,
    "train.checkpoint.every_steps": 4,
    "train.log_every": 7,
    "train.evaluate_every": 1,
    "train.steps": 120,
}
"""Everything that differs between processes: dropout, BatchNorm's statistics, partial sums."""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parent, Path]]:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "shared.yaml").write_text(yaml.safe_dump(RECIPE))
    with Parent(folder) as parent:
        yield parent, folder


def together(parent: Parent, *argv: str, size: int = 2) -> list[Child]:
    """Starts the processes as `torchrun` would, with the group described in the environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(size)}
    ranks = [{**place, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]
    return [parent.start(*argv, env={**env, "LOCAL_WORLD_SIZE": str(size)}) for env in ranks]


def finish(children: Sequence[Child], code: int = 0) -> None:
    assert [child.wait() for child in children] == [code] * len(children), [c.said for c in children]


def the_run(runs: Path) -> Path:
    run = only_run(runs)
    assert run is not None
    return run


def test_the_losses_of_200_steps_equal_those_of_one_process(workshop: tuple[Parent, Path]) -> None:
    parent, folder = workshop
    shared, alone = folder / "two", folder / "one"
    children = together(parent, "train", "shared.yaml", "--runs-dir", str(shared), "--quiet")
    finish([*children, parent.start("train", "shared.yaml", "--runs-dir", str(alone), "--quiet")])
    sizes = json.loads((the_run(shared) / "run.json").read_text())["data"]["sizes"]
    assert sizes["train"] % 34 == 1, "the last batch of an epoch leaves the second process without a sample"
    two, one = (RunDirectory(the_run(runs)).metrics() for runs in (shared, alone))
    assert [step for step, _ in one["step/loss"]] == list(range(1, 201))
    assert two.keys() == one.keys()
    for name, points in one.items():
        assert [step for step, _ in two[name]] == [step for step, _ in points], name
        expected = [value for _, value in points]
        assert [value for _, value in two[name]] == pytest.approx(expected, rel=1e-5, abs=1e-12), name
    assert one["step/loss"][-1][1] < 0.5 * one["step/loss"][0][1], "it learns"


def results(run: Path) -> dict[str, Any]:
    directory = RunDirectory(run)
    assert directory.record().state == "done"
    latest = CheckpointStore(directory.checkpoints).read_latest(pytest.fail)
    assert latest is not None
    found: dict[str, Any] = {**directory.metrics()}
    for name, part in latest[1].items():
        if name != "clock":
            structure, tensors = flatten(part)
            found[f"state {name}"] = (json.dumps(structure), save(tensors))
    for weights in (directory.best, directory.last):
        found[weights.stem] = save(load_file(weights))
    return found


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_sigterm_to_the_group_saves_and_a_resume_ends_with_the_same_bits(
    workshop: tuple[Parent, Path],
) -> None:
    parent, folder = workshop
    given = ["shared.yaml", *overrides(RANDOM)]
    stopped, whole = folder / "stopped", folder / "whole"
    finish(together(parent, "train", *given, "--runs-dir", str(whole), "--quiet"))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launch, "-m", "trainwright.cli", "train", *given, "--runs-dir", str(stopped)]
    torchrun = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    limit = time.monotonic() + 120
    while not ((run := only_run(stopped)) and any(step >= 8 for step, _ in checkpoints(run))):
        assert torchrun.poll() is None and time.monotonic() < limit, torchrun.communicate()[0]
        time.sleep(0.002)
    os.killpg(torchrun.pid, signal.SIGTERM)
    said, _ = torchrun.communicate(timeout=60)
    assert torchrun.returncode != 0
    assert not alive(torchrun.pid), "every process of the group has left"
    assert "trainwright resume" in said
    assert "BatchNorm statistics are those of each process's slice" in said
    record = RunDirectory(run).record()
    assert (record.state, record.exit_reason) == ("interrupted", "stopped on request"), said
    step = record.progress["step"]
    assert 8 <= step < 120
    assert max(s for s, committed in checkpoints(run) if committed) == step

    refused = parent.run("resume", str(run), "--quiet")
    assert refused.code == 2
    assert "the run has 2 processes, now there are 1" in refused.said

    finish(together(parent, "resume", str(run), "--quiet"))
    resumed, undisturbed = results(run), results(the_run(whole))
    assert resumed.keys() == undisturbed.keys()
    assert [name for name in resumed if resumed[name] != undisturbed[name]] == []


@pytest.mark.parametrize("victim", [0, 1])
def test_when_one_process_dies_the_other_leaves_and_the_run_can_be_resumed(
    workshop: tuple[Parent, Path], victim: int
) -> None:
    parent, folder = workshop
    runs = folder / f"bereft-{victim}"
    given = ["shared.yaml", *overrides({"train.steps": 3000, "train.checkpoint.every_steps": 10})]
    children = together(parent, "train", *given, "--runs-dir", str(runs), "--quiet")
    parent.until_polled(lambda: (run := only_run(runs)) and any(done for _, done in checkpoints(run)))
    children[victim].send(signal.SIGKILL)
    assert children[victim].wait() == -signal.SIGKILL
    assert children[1 - victim].wait() == 2
    assert "lost another process of the run" in children[1 - victim].said
    run = RunDirectory(the_run(runs))
    assert run.state() == "interrupted"
