"""How a continued run begins: with a copy of its parent's checkpoint, kept until it is done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from trainwright import log
from trainwright.engine.checkpoint import CheckpointStore
from trainwright.engine.continuation import take_up
from trainwright.engine.loop import Loop
from trainwright.errors import RunError
from trainwright.models.weights import apply_weights, load_weights
from trainwright.runs.atomic import make_directory, write_bytes
from trainwright.runs.directory import RunDirectory
from trainwright.runs.lineage import Origin, origin_of


def copy_origin(origin: Origin, parent: RunDirectory, run: RunDirectory) -> None:
    """Copies what the run begins with, so that its parent may go on, or go away, meanwhile.

    Raises:
        RunError: The checkpoint is gone or cannot be copied.
    """
    shutil.rmtree(run.origin, ignore_errors=True)
    make_directory(run.origin)
    try:
        shutil.copytree(parent.checkpoints / str(origin.step), run.origin / str(origin.step))
        if origin.checkpoint == "best":
            write_bytes(run.origin / run.best.name, parent.best.read_bytes())
    except OSError as error:
        raise RunError(
            "the checkpoint that the run goes on from cannot be copied",
            where=str(parent.path),
            why=str(error),
        ) from error


def begin_from_origin(loop: Loop, run: RunDirectory) -> str:
    """Puts the loop where the parent's checkpoint stands; says so, or nothing for a run without parent.

    Raises:
        RunError: What was copied is damaged or does not fit the recipe.
    """
    origin = origin_of(run.record())
    if origin is None:
        return ""
    take_up(
        loop,
        CheckpointStore(run.origin).read(origin.step),
        optimizer=origin.optimizer == "kept",
        schedule=not any(change.key.startswith("train.schedule") for change in origin.changes),
        same_batches=origin.same_batches,
    )
    if origin.checkpoint == "best":
        apply_weights(loop.parts.model, load_weights(run.origin / run.best.name), strict=True)
        if loop.parts.ema is not None:
            loop.parts.ema.restart()
    at, weights = loop.position, "best weights" if origin.checkpoint == "best" else "last state"
    where = f"epoch {at.epoch}, step {at.step}"
    return f"going on from the {weights} of {origin.run} at {where}; optimizer {origin.optimizer}"


def restore(
    loop: Loop,
    run: RunDirectory,
    store: CheckpointStore,
    agree: Callable[[Callable[[], Any]], Any],
    say: Callable[[str], None],
    *,
    from_best: bool,
) -> None:
    """Puts the loop where the run's last checkpoint stands.

    Args:
        loop: Freshly made.
        run: Its run directory.
        store: The run's checkpoints.
        agree: Lets the first process decide something, and tells the others.
        say: Told where it goes on.
        from_best: Take the best weights, with a new optimizer state.

    Raises:
        RunError: There are no best weights, or no checkpoint is whole.
    """
    found = agree(lambda: store.read_latest(log.logger.warning))
    if found is None:
        told = begin_from_origin(loop, run)
        if told:
            say(told)
        return
    step, tree = found
    if from_best:
        if not run.best.exists():
            raise RunError(
                "the run has no best weights yet",
                where=str(run.best),
                why="it ended before its first evaluation",
                fix="change the recipe (a lower learning rate?), or repeat it with --fresh",
            )
        apply_weights(loop.parts.model, load_weights(run.best), strict=True)
        for name in ("position", "clock", "best"):
            loop.state.parts[name].load_state_dict(tree[name])
        if loop.parts.ema is not None:
            loop.parts.ema.restart()
        say(f"going on from the best weights at step {step}, optimizer state new")
        return
    loop.state.restore(tree)
    say(f"resuming at step {step}")
