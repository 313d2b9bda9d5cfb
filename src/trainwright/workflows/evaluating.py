"""Scoring a run again, on a split of its own data or on other data of the same kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright import recipe as recipes
from trainwright.errors import DataError, RunError, UserError
from trainwright.progress import NoProgress, ProgressSink
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.other_data import loaded_for, read_as

if TYPE_CHECKING:
    from trainwright.data.types import PreparedData
    from trainwright.inference.predictor import Predictor
    from trainwright.recipe import LoadedRecipe


def evaluate(
    run: str | os.PathLike[str],
    *,
    split: str = "test",
    data: Any = None,
    own_data: Any = None,
    overrides: Sequence[str] = (),
    weights: str = "best",
    folder: Path | None = None,
    progress: ProgressSink | None = None,
) -> dict[str, float]:
    """Metrics of a run's weights on a split, with the run's own processors and execution.

    With the run's own data the result is stored in its `evaluation/<split>`; other data leave the
    run as it is. With a folder it is stored there, and the run stays as it is.

    Args:
        run: The run directory.
        split: Split of the data; other data are taken whole under this name.
        data: A path, or in-memory data, in place of the run's own. At a path the run's own source reads what
            it can; other data of the same kind, such as a COCO file for a run on Pascal VOC, are read by
            the source that suits what is found there.
        own_data: The run's own data, when it was trained on data in memory.
        overrides: Of the recipe's data section, as `data.x=value`, for other data at a path: where their
            pictures lie (`data.source.images`), or that objects of other classes are left out
            (`data.targets.NAME.others=drop`).
        weights: `best` or `last`.
        folder: Where metrics and answers are written, in place of the run.
        progress: Told which source reads other data, and what of them is left out.

    Raises:
        RunError: The run has no weights, or its data changed.
        DataError: There is no such split, or other data do not fit the run.
        UserError: An override concerns something else than the reading of other data.
    """
    from trainwright.inference.evaluation import evaluate_split
    from trainwright.inference.predictor import Predictor

    directory = RunDirectory.open(run)
    own = data is None
    progress = progress or NoProgress()
    path = isinstance(data, str | os.PathLike)
    _refuse_overrides(overrides, path)
    loaded = loaded_for(directory, data, overrides, progress)
    predictor = Predictor.load(directory.path, weights=weights)
    in_memory = None if path else own_data if own else data
    prepared = _prepared(loaded, predictor, in_memory, None if own else split)
    if own:
        _refuse_changed(directory, prepared)
    else:
        for notice in prepared.notices:
            progress.message(notice)
    if split not in prepared.splits or len(prepared.splits[split]) == 0:
        there = ", ".join(name for name, rows in prepared.splits.items() if len(rows))
        raise DataError(f"the data have no split {split!r}", fix=f"use one of: {there}")
    kept = directory.evaluation(split) if own else None
    return evaluate_split(predictor, prepared, split, folder or kept)


def _prepared(loaded: LoadedRecipe, predictor: Predictor, data: Any, whole: str | None) -> PreparedData:
    """The data as the predictor's own processors see them; other data as one split of the name `whole`."""
    from trainwright.workflows.training import load_data

    for name, processor in predictor.targets.items():
        read_as(loaded.recipe.data.targets[name], processor)
    fitted = {**predictor.inputs, **predictor.targets}
    with recipes.located(loaded):
        return load_data(loaded, NoProgress(), data=data, fitted=fitted, whole=whole)


def _refuse_changed(run: RunDirectory, prepared: PreparedData) -> None:
    """Raises RunError where the run's own data are no longer what it was trained on."""
    if run.record().data.get("fingerprint") != prepared.fingerprint:
        raise RunError(
            "the run's data changed since it was trained",
            where=str(run.path),
            why="a score on other data must not stand in the run as its own",
            fix="put the data back, or name them with --data to score them apart",
        )


def _refuse_overrides(overrides: Sequence[str], path: bool) -> None:
    """Raises UserError for an override that would change more than how other data are read."""
    for override in overrides:
        key = override.partition("=")[0].strip()
        if not path or not key.startswith("data."):
            raise UserError(
                f"{key} of a trained run cannot be changed to score it",
                where=override,
                why="only how other data are read can: keys of data., together with --data PATH",
                fix="leave it out; `trainwright continue RUN KEY=VALUE` trains on with other values",
            )
        if key.startswith("data.split"):
            raise UserError(
                "other data are scored as a whole and are not divided",
                where=override,
                fix="leave it out; give the part that is to be scored as --data",
            )
