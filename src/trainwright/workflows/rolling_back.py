"""A training that went wrong goes on from its last good checkpoint, at a lower rate.

A roll-back is a resume within the process: a new attempt, from an earlier checkpoint. What is decided is a
function of the recipe and of the steps alone, and is done in an order in which a kill at any moment leaves
either the run as it was, which will come to the same decision again, or the run with the decision in its
record. So the run ends with the same bits, however often it is interrupted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from trainwright.engine.checkpoint import KEPT, CheckpointStore
from trainwright.engine.health.diverged import Diverged
from trainwright.engine.health.slowing import Slowing
from trainwright.engine.parts import Parts
from trainwright.recipe.health import Health
from trainwright.runs.atomic import StorageError, make_directory, write_bytes
from trainwright.runs.directory import RunDirectory
from trainwright.runs.lowered_rate import rate_of
from trainwright.runs.record import RunRecord, RunState

# As many as regular checkpoints are kept, and two more that may still be being written.
_KEPT = KEPT + 2


def keep_weights(run: RunDirectory, step: int) -> None:
    """Keeps the best weights so far as those of a checkpoint, by links to the files.

    Raises:
        StorageError: They cannot be linked or copied.
    """
    folder = run.kept / str(step)
    shutil.rmtree(folder, ignore_errors=True)
    make_directory(folder)
    try:
        for path in run.weights.glob("*.safetensors"):
            _link(path, folder / path.name)
    except OSError as error:
        raise StorageError(folder, error) from error
    for other in _kept_steps(run)[:-_KEPT]:
        shutil.rmtree(run.kept / str(other), ignore_errors=True)


def _kept_steps(run: RunDirectory) -> list[int]:
    return sorted(int(path.name) for path in run.kept.glob("*") if path.name.isdigit())


def roll_back(
    run: RunDirectory,
    record: RunRecord,
    health: Health,
    failure: Diverged,
    say: Callable[[str], None],
) -> bool:
    """Puts a run back to its last good checkpoint, where the recipe wants it so.

    Args:
        run: The run; nothing writes to it meanwhile.
        record: Its record, changed and saved.
        health: `train.health`.
        failure: What went wrong.
        say: Told what is done.

    Returns:
        Whether it is to go on; otherwise the failure stands.
    """
    if getattr(health, failure.rule) != "roll_back":
        return False
    store = CheckpointStore(run.checkpoints)
    # Where going back led to the same end once, it is further back that it went wrong.
    to = store.regular_before(failure.since, [back["to"] for back in record.rollbacks])
    if to is None:
        return False
    if len(record.rollbacks) >= health.rollbacks:
        say(f"rolled back {len(record.rollbacks)} times already (train.health.rollbacks)")
        return False
    _put_back(run, to)
    store.forget_after(to)
    rate = health.lr_factor * rate_of(record)
    say(f"going back to step {to:,}, and on at {rate:g} times the recipe's learning rate")
    record.end(RunState.INTERRUPTED, f"{failure.what}; rolled back to step {to}")
    record.rollbacks.append(
        {
            "step": failure.step,
            "to": to,
            "rule": failure.rule,
            "text": failure.what,
            "rate": rate,
        }
    )
    run.save(record)
    return True


def slow_down(parts: Parts, turns: Sequence[tuple[int, float]]) -> None:
    """Lets the learning rates be what the roll-backs so far have made of them."""
    if turns:
        slowing = Slowing(turns)
        for runner in parts.runners:
            runner.slowing = slowing


def _put_back(run: RunDirectory, step: int) -> None:
    """The best weights as they were at a checkpoint; those of the abandoned steps go."""
    kept = {path.name: path for path in (run.kept / str(step)).glob("*.safetensors")}
    for name, path in kept.items():
        write_bytes(run.weights / name, path.read_bytes())
    for path in run.weights.glob("*.safetensors"):
        if path.name not in kept:
            path.unlink()
    for other in _kept_steps(run):
        if other > step:
            shutil.rmtree(run.kept / str(other), ignore_errors=True)


def _link(path: Path, target: Path) -> None:
    """Weights are replaced as a whole and never written into, so a link stays what it was."""
    try:
        os.link(path, target)
    except OSError:  # not every file system has links
        shutil.copyfile(path, target)
