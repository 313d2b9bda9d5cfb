"""Going on with a run under another recipe, or on other data: a child run that keeps where it comes from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.errors import RunError
from trainwright.inference.artifact import load_processors
from trainwright.progress import NoProgress, ProgressSink
from trainwright.recipe.salt import weights_digest
from trainwright.runs.difference import Change, changes, resolved_values
from trainwright.runs.directory import RunDirectory
from trainwright.runs.lineage import Checkpoint, Origin
from trainwright.runs.lowered_rate import rate_of
from trainwright.runs.record import RunState
from trainwright.workflows.continued_model import refuse_other_model
from trainwright.workflows.other_data import loaded_for, read_as
from trainwright.workflows.training import Beginning, RunResult, load_data, train_loaded

if TYPE_CHECKING:
    from trainwright.data.types import PreparedData, Processor
    from trainwright.recipe import LoadedRecipe

_BATCHES = ("train.batch_size", "train.seed", "data.")
_OPTIMIZER = ("train.optimizer", "train.optimizer.name")
_RATE = re.compile(r"^train\..*[._]lr$")


def continue_run(
    path: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    from_: Checkpoint = "last",
    reset_optimizer: bool = False,
    data: Any = None,
    runs_dir: str | Path | None = None,
    fresh: bool = False,
    progress: ProgressSink | None = None,
) -> RunResult:
    """Trains a child of a run: its recipe with other values, from its last checkpoint on.

    Epochs and steps count on from the parent's: a run of 5 epochs that is continued with `train.epochs=8` is
    trained for 3 more. Columns whose part of the recipe is unchanged keep the parent's processors, so classes
    and normalisation stay what the weights have learned, whatever the data are now.

    Args:
        path: The parent's directory; it is only read.
        overrides: Key path -> value, or `a.b=value` strings.
        from_: `last` for the last state, `best` for the best weights.
        reset_optimizer: Begin with a new optimizer; else it keeps its moments, under the new rates.
        data: A path to read other data from, or in-memory data.
        runs_dir: Where the child is made; beside the parent when absent.
        fresh: A new child, also where the same one exists already.
        progress: A sink such as the command line's progress bar.

    Raises:
        RunError: The parent is alive, has no checkpoint, or nothing would be left to train.
        UserError: The recipe, the data or the model cannot work.
    """
    progress = progress or NoProgress()
    parent = RunDirectory.open(path)
    loaded = loaded_for(parent, data, overrides, progress)
    found = changes(resolved_values(parent), loaded.resolved)
    checkpoint = _checkpoint(parent, from_)
    _refuse_nothing_to_do(parent, checkpoint, loaded, found)
    kept = _kept_processors(parent, found, loaded)
    refuse_other_model(parent, checkpoint, loaded, found, kept, overrides)
    for change in found:
        progress.message(str(change))

    def read(loaded: LoadedRecipe) -> PreparedData:
        """The child's data, in the parent's terms."""
        in_memory = None if isinstance(data, str | os.PathLike) else data
        return load_data(loaded, progress, data=in_memory, fitted=kept)

    def begin(prepared: PreparedData) -> Beginning:
        """From the parent's checkpoint, which may be of other data."""
        same_data = parent.record().data.get("fingerprint") == prepared.fingerprint
        origin = _origin(
            parent, checkpoint, from_, found, reset_optimizer=reset_optimizer, same_data=same_data
        )
        if not _sets_rate(overrides):
            origin = replace(origin, rate=rate_of(parent.record()))
        return _beginning(origin, parent)

    return train_loaded(
        loaded, progress, read, runs_dir=runs_dir or parent.path.parent, fresh=fresh, begin=begin
    )


def _sets_rate(overrides: Mapping[str, Any] | Sequence[str]) -> bool:
    """Whether the user says how fast to learn: what roll-backs made of the parent's rate counts no more."""
    keys = [key.partition("=")[0].strip() for key in overrides]
    return any(key in _OPTIMIZER or _RATE.search(key) for key in keys)


def _origin(
    parent: RunDirectory,
    step: int,
    from_: Checkpoint,
    found: Sequence[Change],
    *,
    reset_optimizer: bool,
    same_data: bool,
) -> Origin:
    """What the child's record keeps of its parent."""
    return Origin(
        run=parent.id,
        path=str(parent.path.absolute()),
        step=step,
        checkpoint=from_,
        optimizer="reset" if reset_optimizer else "kept",
        same_batches=same_data and not any(change.key.startswith(_BATCHES) for change in found),
        changes=tuple(found),
        digest=_digest(parent, step, from_),
    )


def _beginning(origin: Origin, parent: RunDirectory) -> Beginning:
    def prepare(run: RunDirectory) -> None:
        """Keeps the parent's checkpoint with the child."""
        from trainwright.workflows.beginning import copy_origin

        copy_origin(origin, parent, run)

    content: dict[str, Any] = {"parent": origin.digest, "optimizer_state": origin.optimizer}
    if origin.rate != 1.0:
        content["lr_factor"] = origin.rate
    return Beginning(content, [origin.as_json()], prepare)


def _checkpoint(parent: RunDirectory, from_: Checkpoint) -> int:
    """Step of the parent's newest checkpoint. Raises RunError where it cannot be gone on from."""
    owner = parent.owner()
    if owner is not None:
        raise RunError(
            "the run is being trained",
            where=str(parent.path),
            why=f"process {owner.pid} on {owner.host} works on it",
            fix="stop it (it saves first), or wait for its end",
        )
    step = parent.newest_checkpoint()
    if step is None and parent.record().state is RunState.DONE:
        raise RunError(
            "the run holds weights, but no state of a training",
            where=str(parent.path),
            why="it was made of other runs, or its checkpoints were removed",
            fix=f"`trainwright train RECIPE init.path={parent.path}` begins a new training with its weights",
        )
    if step is None or (from_ == "best" and not parent.best.exists()):
        raise RunError(
            "the run has nothing to go on from",
            where=str(parent.path),
            why="it ended before its first checkpoint" if step is None else "it has no best weights",
            fix=f"`trainwright resume {parent.path}` begins it, or goes on with it",
        )
    return step


def _refuse_nothing_to_do(
    parent: RunDirectory, step: int, loaded: LoadedRecipe, found: Sequence[Change]
) -> None:
    """Raises RunError where the budget is spent at the parent's step already."""
    train, record = loaded.recipe.train, parent.record()
    done = float(record.progress.get("epoch") or 0)
    if train.epochs is not None and train.steps is None and train.minutes is None and train.epochs <= done:
        raise RunError(
            f"the run has done {done:g} epochs, and the recipe asks for {train.epochs:g}",
            where="train.epochs",
            why="epochs count on from those of the run that is continued",
            fix=f"train.epochs={done + max(1, round(done / 2)):g}, for instance, trains on",
        )
    if train.steps is not None and train.steps <= step:
        raise RunError(
            f"the run has done {step} steps, and the recipe asks for {train.steps}",
            where="train.steps",
            why="steps count on from those of the run that is continued",
            fix=f"train.steps={step + max(1, step // 2)}, for instance, trains on",
        )
    if not found and record.finished is None:
        raise RunError(
            "nothing is changed, and the run is not done",
            where=str(parent.path),
            fix=f"`trainwright resume {parent.path}` goes on with it as it is",
        )


def _kept_processors(
    parent: RunDirectory, found: Sequence[Change], loaded: LoadedRecipe
) -> dict[str, Processor]:
    """The parent's processors of all columns that the recipe leaves as they were, in what was learned."""
    inputs, targets, _ = load_processors(parent.processors)
    data = loaded.recipe.data
    kept = {}
    for group, processors, columns in (("inputs", inputs, data.inputs), ("targets", targets, data.targets)):
        for name, processor in processors.items():
            key = f"data.{group}.{name}"
            alike = ("column", *getattr(processor, "selecting", ()))
            if not any(_is_below(change.key, key, alike) for change in found):
                read_as(columns[name], processor)
                kept[name] = processor
    return kept


def _is_below(key: str, place: str, alike: Sequence[str]) -> bool:
    """Whether a change concerns a column in more than names that leave what was learned as it is."""
    within = key == place or key.startswith(f"{place}.")
    return within and key.removeprefix(f"{place}.") not in alike


def _digest(parent: RunDirectory, step: int, from_: Checkpoint) -> str:
    """Digest of the checkpoint that is gone on from: of its files, or of the best weights."""
    if from_ == "best":
        return weights_digest(str(parent.path))
    files = json.loads((parent.checkpoints / str(step) / "manifest.json").read_bytes())["files"]
    return ":".join(files[role]["sha256"] for role in sorted(files))
