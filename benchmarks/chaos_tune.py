"""Searches that are killed again and again: SIGKILL of workers and of the coordinator, at random moments.

python -m benchmarks.chaos_tune --trials 200 --jobs 4 --kills 40

First a grid of `--trials` points, `--jobs` at a time, is killed `--kills` times; then a seeded TPE search of
`--sequence` trials without parallelism is killed and compared with one that is left alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish

_POLL = 0.02
_PATIENCE = 120.0
_WORKER = b"trainwright.workflows.trial_worker"


@dataclass
class Chaos:
    """What happened to one study.

    Attributes:
        kills: Victim (`worker`, `coordinator`) -> how often.
        recovery: Seconds from each kill to the next lease of a trial that it cut off.
        trials: Rows of the finished study.
        seconds: From the first start to the end.
    """

    kills: Counter[str] = field(default_factory=Counter)
    recovery: list[float] = field(default_factory=list)
    trials: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def recipe(name: str, tune: dict[str, Any], epochs: int = 3) -> dict[str, Any]:
    """A small training on the digits, with a `tune` section."""
    train = {"epochs": epochs, "threads": 1, "precision": "fp32", "memory_format": "contiguous"}
    return {"extends": "digits", "name": name, "train": train, "tune": tune}


def grid(count: int) -> dict[str, Any]:
    """A section with a grid of `count` points."""
    rates = [round(1e-4 * 1.02**index, 8) for index in range(-(-count // 2))]
    sizes = [64, 128] if count > 1 else [64]
    space = {"train.optimizer.lr": {"choices": rates}, "train.batch_size": {"choices": sizes}}
    return {"space": space, "objectives": {"val/accuracy": "maximize"}, "search": "grid"}


def sequence(count: int) -> dict[str, Any]:
    """A section with a seeded search that learns from its trials."""
    space = {
        "train.optimizer.lr": {"low": 1e-4, "high": 1e-1, "log": True},
        "train.batch_size": {"low": 32, "high": 128},
    }
    objectives = {"val/loss": "minimize"}
    search = {"name": "tpe", "startup": 3}
    return {"space": space, "objectives": objectives, "search": search, "trials": count, "seed": 1}


def run_study(
    folder: Path,
    spec: dict[str, Any],
    *,
    jobs: int,
    kills: int = 0,
    pause: tuple[float, float] = (5.0, 15.0),
    seed: int = 0,
) -> Chaos:
    """Runs a study to its end, killing as it goes, and reads what it holds.

    Args:
        folder: Where the recipe, the study and the runs go.
        spec: The recipe.
        jobs: Trials at a time.
        kills: How often something is killed; fewer where the study ends before that.
        pause: Seconds between two kills, from and to.
        seed: Of moments and victims.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(json.dumps(spec))
    study = folder / "runs" / f"{spec['name']}.study"
    draw = random.Random(seed)
    chaos, begun = Chaos(), time.monotonic()
    coordinator = _start(folder, jobs)
    try:
        moment = time.monotonic() + draw.uniform(*pause)
        while coordinator.poll() is None:
            time.sleep(_POLL)
            if chaos.kills.total() >= kills or time.monotonic() < moment:
                continue
            workers = workers_of(coordinator.pid)
            victim = "worker" if workers and draw.random() < 0.6 else "coordinator"
            before, killed = read_trials(study), time.monotonic()
            chaos.kills[victim] += 1
            if victim == "worker":
                kill(draw.choice(workers))
            else:
                coordinator.kill()
                coordinator.wait()
                coordinator = _start(folder, jobs)
            _wait_for_recovery(study, before, victim, killed, coordinator, chaos)
            moment = time.monotonic() + draw.uniform(*pause)
        if coordinator.returncode != 0:
            raise RuntimeError((folder / "output.txt").read_text()[-2000:])
    finally:
        coordinator.kill()
    chaos.seconds = time.monotonic() - begun
    chaos.trials = read_trials(study)
    return chaos


def faults(chaos: Chaos, expected: int) -> list[str]:
    """What was lost or done twice, in words; empty where nothing was.

    Args:
        chaos: A finished study.
        expected: Trials that it should have.
    """
    found = []
    states = Counter(trial["state"] for trial in chaos.trials)
    if states != {"done": expected}:
        found.append(f"expected {expected} trials done, got {dict(states)}")
    if [trial["number"] for trial in chaos.trials] != list(range(len(chaos.trials))):
        found.append("the numbers have gaps")
    points = Counter(trial["point"] for trial in chaos.trials)
    found += [f"twice: {point}" for point, count in points.items() if count > 1]
    ends = Counter(trial["ended"] for trial in chaos.trials)
    if sorted(ends) != list(range(1, expected + 1)) or ends.total() != expected:
        found.append("some trial has no result, or more than one")
    found += [f"trial {trial['number']} has no values" for trial in chaos.trials if trial["result"] is None]
    return found


def read_trials(study: Path) -> list[dict[str, Any]]:
    """Rows of a study's trials, read past everything that ours would do."""
    if not study.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{study}?mode=ro", uri=True, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute("SELECT * FROM trials ORDER BY number")]
        except sqlite3.OperationalError:  # made a moment ago, without tables yet
            return []


def workers_of(pid: int) -> list[int]:
    """Processes that train trials for a coordinator."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and _WORKER in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return sorted(found)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Sends a signal to a process that may have ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _start(folder: Path, jobs: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "trainwright.cli", "tune", "recipe.yaml", "--jobs", str(jobs)]
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )


def _wait_for_recovery(
    study: Path,
    before: list[dict[str, Any]],
    victim: str,
    killed: float,
    coordinator: subprocess.Popen[bytes],
    chaos: Chaos,
) -> None:
    """Measures until a trial that was cut off is leased again; an idle victim cuts nothing off."""
    cut = {trial["number"]: trial for trial in before if trial["state"] == "running"}
    while cut and coordinator.poll() is None and time.monotonic() - killed < _PATIENCE:
        rows = {trial["number"]: trial for trial in read_trials(study)}
        for number, old in cut.items():
            row = rows[number]
            died = victim == "coordinator" or row["deaths"] > old["deaths"]
            if died and row["token"] > old["token"]:
                chaos.recovery.append(time.monotonic() - killed)
                return
        if victim == "worker" and all(rows[number]["state"] == "done" for number in cut):
            return  # the victim was idle, or had answered already
        time.sleep(_POLL)


def same_trials(left: Chaos, right: Chaos) -> list[str]:
    """Trials in which two studies differ, point or value, in words."""
    rows = [[(t["number"], t["point"], t["result"]) for t in chaos.trials] for chaos in (left, right)]
    return [f"{one} and {other}" for one, other in zip(*rows, strict=False) if one != other] + (
        [] if len(rows[0]) == len(rows[1]) else [f"{len(rows[0])} and {len(rows[1])} trials"]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos_tune", description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--pause", type=float, nargs=2, default=(5.0, 15.0))
    parser.add_argument("--sequence", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {name: str(value) for name, value in vars(options).items() if name != "dry"}
    results = Results("chaos_tune", settings, now(), machine.describe(), baseline="none")
    with tempfile.TemporaryDirectory() as place:
        folder, pause = Path(place), tuple(options.pause)
        spec = recipe("chaos", grid(options.trials), options.epochs)
        many = run_study(folder / "grid", spec, jobs=options.jobs, kills=options.kills, pause=pause)
        wrong = faults(many, options.trials)
        _note(results, "grid", many, wrong)
        spec = recipe("calm", sequence(options.sequence), options.epochs)
        calm = run_study(folder / "calm", spec, jobs=1)
        killed = run_study(folder / "killed", spec, jobs=1, kills=options.kills // 4, pause=pause, seed=1)
        wrong = [*faults(killed, options.sequence), *same_trials(calm, killed)]
        _note(results, "sequence", killed, wrong)
    finish(results, ("seconds_s", "kills", "recovery_s", "worst_recovery_s"), dry=options.dry)


def _note(results: Results, work: str, chaos: Chaos, wrong: list[str]) -> None:
    values = {
        "seconds_s": chaos.seconds,
        "kills": float(chaos.kills.total()),
        "coordinator_kills": float(chaos.kills["coordinator"]),
        "trials": float(len(chaos.trials)),
        "recovery_s": statistics.median(chaos.recovery) if chaos.recovery else 0.0,
        "worst_recovery_s": max(chaos.recovery, default=0.0),
    }
    results.measurements.append(Measurement(work, "ours", 1, values, error="; ".join(wrong)))
    print(work, values, "wrong:", wrong or "nothing", flush=True)


if __name__ == "__main__":
    main()
