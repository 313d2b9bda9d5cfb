"""How a continued run begins: with a copy of its parent's checkpoint, kept until it is done."""

from __future__ import annotations

import shutil

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
    slower = (
        f"; at {origin.rate:g} times the recipe's learning rate, as roll-backs left it there"
        if origin.rate != 1.0
        else ""
    )
    return f"going on from the {weights} of {origin.run} at {where}; optimizer {origin.optimizer}{slower}"
