"""Proof that killing and resuming changes no bit: the same recipe twice, once killed with SIGKILL."""

from __future__ import annotations

import math
import random
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.errors import RunError, TrainwrightError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import all_runs
from trainwright.runs.metrics import read_records
from trainwright.runs.record import RunState

_POLL = 0.005
_HURRIES = 4
_OFF = ("report.enabled=false",)
# What a clock decides cannot be equal: the working time in the state, and rates among the metrics.
_CLOCK_STATE = frozenset({"clock"})
_CLOCK_METRICS = ("seconds", "per_s", "time/")


@dataclass
class Verification:
    """What came out.

    Attributes:
        kills: Step (of the last written record) at each kill.
        compared: What was compared, with counts.
        differences: Every leaf that is not bit-identical.
    """

    kills: list[int] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


def verify_resume(
    recipe: str,
    overrides: Sequence[str],
    folder: Path,
    *,
    kills: int = 3,
    seed: int = 0,
    say: Callable[[str], None] = lambda _text: None,
) -> Verification:
    """Trains a recipe undisturbed, then again with SIGKILLs at random moments, and compares both.

    Args:
        recipe: A file or the name of a shipped recipe, with a budget in epochs or steps.
        overrides: `a.b=value` strings.
        folder: Where both runs are made.
        kills: How often the second training is killed.
        seed: Of the random moments.
        say: Told what happens.

    Raises:
        RunError: A training failed for a reason of its own, is too short, or has a budget in minutes.
    """
    from trainwright import recipe as recipes

    if recipes.load(recipe, list(overrides)).recipe.train.minutes is not None:
        raise RunError(
            "a budget in minutes ends at another step every time",
            where="train.minutes",
            fix="give train.minutes=null and train.steps",
        )
    say("training undisturbed")
    started = time.monotonic()
    undisturbed = _run(folder / "undisturbed", ["train", recipe, *overrides, *_OFF], [])
    working = _working_seconds(undisturbed)
    say(f"{time.monotonic() - started:.1f} s, of which {working:.1f} s of steps")
    result = Verification()
    command = ["train", recipe, *overrides, *_OFF]
    for hurry in range(_HURRIES):
        # A machine that is quicker the second time ends before it is killed: then earlier, from the start.
        runs_dir = folder / f"killed-{hurry + 1}"
        moments = [random.Random(f"{seed}/{n}").uniform(0.05, 0.95) / 2**hurry for n in range(kills)]
        last = _kill_again_and_again(runs_dir, command, [m * working / kills for m in moments], result, say)
        if result.kills:
            compare(undisturbed, _run(runs_dir, last, ["--quiet"]), result)
            return result
    raise RunError("the training ends before it can be killed", fix="give it more epochs or steps")


def _kill_again_and_again(
    runs_dir: Path,
    command: list[str],
    moments: Sequence[float],
    result: Verification,
    say: Callable[[str], None],
) -> list[str]:
    """Starts and resumes a training, killing it at each moment; gives the command that ends it."""
    for moment in moments:
        run, finished = _start_and_kill(runs_dir, command, moment)
        command = ["resume", str(run.path)]
        if finished:
            say("the training ended before it was killed")
            return command
        result.kills.append(_last_step(run))
        say(f"killed; the last record is of step {result.kills[-1]}")
    return command


def _working_seconds(run: RunDirectory) -> float:
    """From the beginning of the first attempt to the last logged metric."""
    records = list(read_records(run.metrics_file))
    return max(0.01, records[-1].time - run.record().attempts[0].started) if records else 0.01


def compare(left: RunDirectory, right: RunDirectory, result: Verification) -> None:
    """Compares weights, the last state and every metric of two runs, bit by bit."""
    from safetensors.torch import load_file

    from trainwright.engine.checkpoint import CheckpointStore

    for name in ("best", "last"):
        first, second = (getattr(run, name) for run in (left, right))
        if first.exists() or second.exists():
            _compare_trees(f"weights/{name}", load_file(first), load_file(second), result)
    trees = []
    for run in (left, right):
        found = CheckpointStore(run.checkpoints).read_latest(lambda _text: None)
        step, tree = found if found is not None else (None, {})
        trees.append({"at_step": step, **{k: v for k, v in tree.items() if k not in _CLOCK_STATE}})
    _compare_trees("state", trees[0], trees[1], result)
    series = [
        {name: dict(points) for name, points in run.metrics().items() if not _is_clock(name)}
        for run in (left, right)
    ]
    _compare_trees("metrics", series[0], series[1], result)


def _compare_trees(title: str, left: Any, right: Any, result: Verification) -> None:
    first, second = dict(_leaves(left, title)), dict(_leaves(right, title))
    result.compared[title] = len(first)
    for name in dict.fromkeys([*first, *second]):
        if name not in first or name not in second:
            result.differences.append(f"{name}: only in the {'first' if name in first else 'second'} run")
        elif not _same(first[name], second[name]):
            result.differences.append(f"{name}: {_show(first[name])} and {_show(second[name])}")


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{prefix}/{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{prefix}/{index}")
    else:
        yield prefix, value


def _same(left: Any, right: Any) -> bool:
    import torch

    if isinstance(left, torch.Tensor) and isinstance(right, torch.Tensor):
        # As bytes: NaN equals itself, and -0.0 is not 0.0.
        same_kind = left.dtype == right.dtype and left.shape == right.shape
        return same_kind and _bytes(left) == _bytes(right)
    if isinstance(left, float) and isinstance(right, float):
        return struct.pack("d", left) == struct.pack("d", right) or (math.isnan(left) and math.isnan(right))
    return type(left) is type(right) and bool(left == right)


def _bytes(tensor: Any) -> bytes:
    import torch

    return bytes(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())


def _show(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"a tensor {list(value.shape)} with sum {float(value.double().sum()):.9g}"
    return repr(value)[:80]


def _is_clock(name: str) -> bool:
    return any(word in name for word in _CLOCK_METRICS)


def _command(runs_dir: Path, command: Sequence[str], options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "trainwright.cli", *command, "--runs-dir", str(runs_dir), *options]


def _run(runs_dir: Path, command: Sequence[str], options: Sequence[str]) -> RunDirectory:
    """Runs a training to its end. Raises RunError with its last words when it fails."""
    done = subprocess.run(
        _command(runs_dir, command, options),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    runs = all_runs(runs_dir)
    if done.returncode != 0 or not runs or runs[0].record().state is not RunState.DONE:
        raise RunError(
            "the training did not come to its end", where=str(runs_dir), why=done.stderr.strip()[-2000:]
        )
    return runs[0]


def _start_and_kill(runs_dir: Path, command: Sequence[str], seconds: float) -> tuple[RunDirectory, bool]:
    """Kills a training `seconds` after its attempt began; tells whether it had ended before that."""
    before = _attempts(runs_dir)
    child = subprocess.Popen(
        _command(runs_dir, command, ["--quiet"]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while child.poll() is None and _attempts(runs_dir) <= before:
            time.sleep(_POLL)
        deadline = time.monotonic() + seconds
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL)
        finished = child.poll() is not None
    finally:
        child.kill()
        _, words = child.communicate()
    runs = all_runs(runs_dir)
    if not runs or (finished and child.returncode != 0):
        raise RunError("the training failed", where=str(runs_dir), why=words.strip()[-2000:])
    return runs[0], finished


def _attempts(runs_dir: Path) -> int:
    try:
        return sum(len(run.record().attempts) for run in all_runs(runs_dir))
    except TrainwrightError:
        return 0


def _last_step(run: RunDirectory) -> int:
    steps = [step for points in run.metrics().values() for step, _ in points]
    return max(steps, default=0)
