"""What the objectives of a search are worth in a run, and which ones a run reports at all."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trainwright.errors import RecipeError, RunError, closest
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.results import read_metrics_of

if TYPE_CHECKING:
    from trainwright.recipe import LoadedRecipe

OF_THE_MODEL = {
    "model/parameters": "numbers in the best weights, running statistics left out",
    "model/bytes": "size of the best weights on disk",
}
"""Objectives that every run has."""

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def reported(loaded: LoadedRecipe) -> set[str]:
    """Names of the objectives that runs of a recipe report: two samples go through its model.

    Raises:
        UserError: The data or the model cannot work.
    """
    from trainwright.engine.build import build_network, build_task, check_network
    from trainwright.engine.runtime import Execution
    from trainwright.progress import NoProgress
    from trainwright.workflows.training import load_data

    data = load_data(loaded, NoProgress())
    task = build_task(loaded.recipe)
    model = build_network(task, loaded.recipe, data)
    execution = Execution(device="cpu", threads=1)
    names = check_network(task, model, loaded.recipe, data, execution).names
    return {*names, *OF_THE_MODEL}


def refuse_unreported(objectives: Iterable[str], names: set[str]) -> None:
    """Raises RecipeError for an objective that no run reports."""
    for name in objectives:
        if name not in names:
            guess = closest(name, names)
            raise RecipeError(
                f"no run reports `{name}`",
                where=f"tune.objectives.{name}",
                fix=f"did you mean `{guess}`?" if guess else f"use one of: {', '.join(sorted(names))}",
            )


def objective_values(run: RunDirectory, objectives: Iterable[str]) -> list[float]:
    """The objectives of a finished run; those on `val` are of its best weights.

    Raises:
        RunError: One of them is missing or no finite number.
    """
    scored = read_metrics_of(run)
    series: Mapping[str, list[tuple[int, float]]] | None = None
    values = []
    for name in objectives:
        split, _, metric = name.partition("/")
        if name in OF_THE_MODEL:
            value: float | None = float(_of_the_model(run.best, metric))
        elif split in scored:
            value = scored[split].get(metric)
        else:
            series = run.metrics() if series is None else series
            points = series.get(name)
            value = points[-1][1] if points else None
        if value is None or not math.isfinite(value):
            what = f"the run has no {name}" if value is None else f"{name} is {value}"
            raise RunError(what, where=str(run.path))
        values.append(float(value))
    return values


def _of_the_model(weights: Path, metric: str) -> int:
    if metric == "bytes":
        return weights.stat().st_size
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))  # the layout of safetensors
        header = json.loads(file.read(length))
    return sum(
        math.prod(item["shape"])
        for name, item in header.items()
        if name != "__metadata__" and not name.endswith(_STATISTICS)
    )
