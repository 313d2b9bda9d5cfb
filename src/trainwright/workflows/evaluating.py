"""Scoring a run again, on a split of its own data or on other data of the same kind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from trainwright import recipe as recipes
from trainwright.errors import DataError, RunError
from trainwright.progress import NoProgress
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.other_data import other_data


def evaluate(
    run: str | os.PathLike[str],
    *,
    split: str = "test",
    data: Any = None,
    own_data: Any = None,
    weights: str = "best",
    folder: Path | None = None,
) -> dict[str, float]:
    """Metrics of a run's weights on a split, with the run's own processors and execution.

    With the run's own data the result is stored in its `evaluation/<split>`; other data leave the
    run as it is. With a folder it is stored there, and the run stays as it is.

    Args:
        run: The run directory.
        split: Split of the data; other data are taken whole under this name.
        data: A path, or in-memory data, in place of the run's own. A source without a place, such as
            digits, is replaced by one that suits what is found at the path.
        own_data: The run's own data, when it was trained on data in memory.
        weights: `best` or `last`.
        folder: Where metrics and answers are written, in place of the run.

    Raises:
        RunError: The run has no weights, or its data changed.
        DataError: There is no such split.
    """
    from trainwright.inference.evaluation import evaluate_split
    from trainwright.inference.predictor import Predictor
    from trainwright.workflows.training import load_data

    directory = RunDirectory.open(run)
    own = data is None
    path = isinstance(data, str | os.PathLike)
    loaded = recipes.load(directory.resolved)
    if path:
        loaded = recipes.load(directory.resolved, other_data(loaded.recipe.data, Path(data)))
    predictor = Predictor.load(directory.path, weights=weights)
    with recipes.located(loaded):
        prepared = load_data(
            loaded,
            NoProgress(),
            data=None if path else own_data if own else data,
            fitted={**predictor.inputs, **predictor.targets},
            whole=None if own else split,
        )
    if own:
        before = directory.record().data.get("fingerprint")
        if before != prepared.fingerprint:
            raise RunError(
                "the run's data changed since it was trained",
                where=str(directory.path),
                why="a score on other data must not stand in the run as its own",
                fix="put the data back, or name them with --data to score them apart",
            )
    if split not in prepared.splits or len(prepared.splits[split]) == 0:
        there = ", ".join(name for name, rows in prepared.splits.items() if len(rows))
        raise DataError(f"the data have no split {split!r}", fix=f"use one of: {there}")
    kept = directory.evaluation(split) if own else None
    return evaluate_split(predictor, prepared, split, folder or kept)
