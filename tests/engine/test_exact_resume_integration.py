"""Trainings that are killed with SIGKILL end with the bits of undisturbed ones."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from real_processes import Child, Parent, checkpoints, only_run, poll
from safetensors.torch import load_file, save
from sklearn.datasets import load_digits

from trainwright.engine.checkpoint import CheckpointStore
from trainwright.engine.state_tree import flatten
from trainwright.runs.directory import RunDirectory

PER_EPOCH, EPOCHS = 8, 14
EVERYTHING: dict[str, Any] = {
    "name": "everything",
    "data": {
        "source": {"name": "folder", "root": "pictures"},
        "inputs": {"image": {"type": "image"}},
        "targets": {"label": {"type": "category"}},
        "split": {"val": 0.1, "test": 0.1},
        "augment": [{"name": "random_crop", "padding": 1}, "flip"],
        "cache": "none",
    },
    "model": {"name": "cnn", "widths": [4, 6], "head": 12, "dropout": 0.3, "batch_norm": True},
    "train": {
        "epochs": EPOCHS,
        "batch_size": 30,
        "micro_batch": 12,
        "optimizer": {"name": "adamw", "lr": 0.01, "weight_decay": 0.01},
        "schedule": {"name": "one_cycle", "cycle_momentum": True},
        "ema": {"decay": 0.95},
        "clip": {"norm": 0.7},
        "early_stop": {"monitor": "val/loss", "patience": 40},
        "checkpoint": {"every_steps": 3},
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
        "memory_format": "channels_last",
        "log_every": 5,
    },
    "report": {"enabled": False},
}


def variant(name: str, **sections: Any) -> dict[str, Any]:
    """The recipe with other sections of `train`."""
    return {**EVERYTHING, "name": name, "train": {**EVERYTHING["train"], **sections}}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parent, Path]]:
    """A folder with pictures and recipes, and the parent of all trainings."""
    folder = tmp_path_factory.mktemp("workshop")
    digits = load_digits()
    for index in range(300):
        label = folder / "pictures" / str(digits.target[index])
        label.mkdir(parents=True, exist_ok=True)
        pixels = (digits.images[index] * 15).astype(np.uint8)
        Image.fromarray(pixels).save(label / f"{index}.png")
    (folder / "deadly.py").write_text(DEADLY)
    recipes = [
        EVERYTHING,
        variant(
            "plateau",
            optimizer={"name": "sgd", "lr": 0.1, "momentum": 0.9},
            schedule={"name": "plateau", "patience": 0, "threshold": 0.2},
            early_stop={"patience": 9},
        ),
        ADVERSARIAL,
    ]
    for recipe in recipes:
        (folder / f"{recipe['name']}.yaml").write_text(yaml.safe_dump(recipe))
    with Parent(folder) as parent:
        yield parent, folder


def results(path: Path) -> dict[str, Any]:
    """Everything that a training leaves, but for the time it took, by name."""
    run = RunDirectory(path)
    record = run.record()
    assert record.state == "done"
    found: dict[str, Any] = {f"metric {name}": points for name, points in run.metrics().items()}
    for weights in (run.best, run.last):
        found[f"weights {weights.stem}"] = save(load_file(weights))
    latest = CheckpointStore(run.checkpoints).read_latest(pytest.fail)
    assert latest is not None
    step, tree = latest
    for name, part in tree.items():
        if name != "clock":
            structure, tensors = flatten(part)
            found[f"state {name}"] = (step, json.dumps(structure), save(tensors))
    for file in (
        "results.csv",
        "evaluation/val/metrics.json",
        "evaluation/test/metrics.json",
        "processors.json",
    ):
        found[file] = (path / file).read_bytes()
    found["progress"] = (record.progress, record.best, record.exit_reason)
    return found


def assert_same(killed: Path, undisturbed: Path) -> None:
    left, right = results(killed), results(undisturbed)
    assert left.keys() == right.keys()
    assert [name for name in left if left[name] != right[name]] == []


def kill_after(child: Child, runs: Path, step: int, delay: float) -> None:
    """Kills it some time after it has begun a checkpoint of at least `step`."""
    poll(child, lambda: (run := only_run(runs)) and any(s >= step for s, _ in checkpoints(run)))
    time.sleep(delay)
    child.send(signal.SIGKILL)


def kill_in_checkpoint(child: Child, runs: Path, step: int) -> bool:
    """Kills it while a checkpoint of at least `step` is being written; False when it ended before."""

    def writing() -> bool:
        run = only_run(runs)
        if run is None or all(done or s < step for s, done in checkpoints(run)):
            return False
        # Stopped, so that what is seen now is what the kill leaves behind.
        child.send(signal.SIGSTOP)
        if any(not done and s >= step for s, done in checkpoints(run)):
            child.send(signal.SIGKILL)
            return True
        child.send(signal.SIGCONT)
        return False

    return poll(child, writing, pause=0.0002)


def begun(run: Path) -> list[int]:
    """The step at which each attempt went on."""
    return [attempt["from_step"] for attempt in json.loads((run / "run.json").read_text())["attempts"]]


def train_with_kills(
    workshop: tuple[Parent, Path], name: str, kills: int, seed: int
) -> tuple[Path, list[int]]:
    """Trains a recipe while killing it, every other time within a checkpoint; ends it undisturbed."""
    parent, folder = workshop
    runs, chance = folder / f"killed-{name}", random.Random(seed)
    total = PER_EPOCH * EPOCHS
    torn = 0
    for number in range(kills + 1):
        workers = number % 3
        child = parent.start(
            "train", f"{name}.yaml", f"data.workers={workers}", "--runs-dir", str(runs), "--quiet"
        )
        if number < kills:
            at = chance.randrange(total * number // (kills + 1), total * (number + 1) // (kills + 1))
            if number % 2:
                torn += kill_in_checkpoint(child, runs, at)
            else:
                kill_after(child, runs, at, chance.uniform(0, 0.03))
        code = child.wait()
        assert code == (0 if number == kills else -signal.SIGKILL), child.said
    run = only_run(runs)
    assert run is not None
    assert torn == kills // 2
    return run, begun(run)


def undisturbed(workshop: tuple[Parent, Path], name: str, *changes: str) -> Path:
    parent, folder = workshop
    runs = folder / "-".join(["whole", name, *changes])
    child = parent.run(
        "train", f"{name}.yaml", "data.workers=0", *changes, "--runs-dir", str(runs), "--quiet"
    )
    assert child.code == 0, child.said
    run = only_run(runs)
    assert run is not None
    return run


def test_ten_kills_change_no_bit(workshop: tuple[Parent, Path]) -> None:
    killed, starts = train_with_kills(workshop, "everything", kills=10, seed=1)
    assert len(starts) == 11
    assert starts == sorted(starts)
    assert sum(1 for step in starts if step % PER_EPOCH) >= 3, "resumed in mid-epoch"
    whole = undisturbed(workshop, "everything")
    assert begun(whole) == [0]
    assert_same(killed, whole)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(workshop: tuple[Parent, Path]) -> None:
    short = ["train.epochs=2"]
    first = undisturbed(workshop, "everything", *short)
    again = undisturbed(workshop, "everything", *short, "data.workers=2")
    other = undisturbed(workshop, "everything", *short, "train.seed=1")
    assert_same(again, first)
    left, right = results(first), results(other)
    for name in ("weights best", "weights last", "state model", "state optimizer.train", "state ema"):
        assert left[name] != right[name], name
    assert left["metric train/loss"] != right["metric train/loss"]


def test_a_plateau_and_early_stopping_go_on_where_they_were(workshop: tuple[Parent, Path]) -> None:
    killed, _ = train_with_kills(workshop, "plateau", kills=3, seed=2)
    whole = undisturbed(workshop, "plateau")
    assert_same(killed, whole)
    rates = [value for _, value in RunDirectory(whole).metrics()["lr"]]
    assert len(set(rates)) > 2, "the rate fell more than once"


DEADLY = '''
import json, os, signal, time
from pathlib import Path
import torch

class Deadly(torch.optim.Adam):
    """Adam that kills its own process in the middle of a step, when a file says so."""

    def __init__(self, params, *, lr: float = 1e-3):
        super().__init__(params, lr=lr)
        self.calls = 0

    def step(self, closure=None):
        self.calls += 1
        if os.environ.get("KILL"):
            calls, committed, runs = json.loads(os.environ["KILL"])
            if self.calls == calls:
                while not any(Path(runs).glob(f"*/state/{committed or '*'}/manifest.json")) and committed:
                    time.sleep(0.001)
                os.kill(os.getpid(), signal.SIGKILL)
        return super().step(closure)
'''
ADVERSARIAL: dict[str, Any] = {
    "name": "adversarial",
    "task": {"name": "adversarial", "generator_optimizer": {"name": "deadly:Deadly", "lr": 0.002}},
    "data": {"source": "digits", "inputs": {"image": {"type": "image"}}, "split": {"val": 0.1, "test": 0.7}},
    "model": {"name": "adversary", "latent": 5, "hidden": 20},
    "train": {
        "steps": 60,
        "batch_size": 32,
        "micro_batch": 10,
        "ema": {"decay": 0.9},
        "checkpoint": {"every_steps": 4},
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
        "log_every": 3,
    },
    "report": {"enabled": False},
}


def test_a_kill_between_two_phases_of_a_step_changes_no_bit(workshop: tuple[Parent, Path]) -> None:
    """The discriminator has moved already, the generator has not, when SIGKILL comes."""
    parent, folder = workshop
    runs = folder / "killed-phases"
    for calls, committed in ((3, 0), (11, 8), (9, 16)):
        kill = {"KILL": json.dumps([calls, committed, str(runs)])}
        child = parent.run("train", "adversarial.yaml", "--runs-dir", str(runs), "--quiet", env=kill)
        assert child.code == -signal.SIGKILL, child.said
    run = only_run(runs)
    assert run is not None
    child = parent.run("resume", str(run), "--quiet")
    assert child.code == 0, child.said
    assert begun(run) == [0, 0, 8, 16]
    assert_same(run, undisturbed(workshop, "adversarial"))
