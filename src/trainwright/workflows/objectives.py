"""What the objectives of a search are worth in a run, and which ones a run reports at all."""

from __future__ import annotations

import json
import math
import statistics
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.errors import RecipeError, RunError, TrainwrightError, closest, raise_all
from trainwright.runs.convergence import EPOCHS, SECONDS, STEPS, convergence
from trainwright.runs.directory import RunDirectory
from trainwright.runs.metrics import epoch_rows
from trainwright.workflows.latency import known_latency
from trainwright.workflows.results import read_metrics_of

if TYPE_CHECKING:
    from trainwright.data.types import PreparedData
    from trainwright.recipe import LoadedRecipe

OF_THE_MODEL = {
    "model/parameters": "numbers in the best weights, running statistics left out",
    "model/bytes": "size of the best weights on disk",
    "model/latency_ms": "milliseconds of one answer, of the quickest 1 %, timed while other trials here rest",
}
"""Objectives of every run that do not change while it is trained."""

OF_THE_RUN = {
    STEPS: "optimizer steps until the best weights",
    EPOCHS: "epochs until the best weights",
    SECONDS: "seconds of training until the epoch of the best weights was scored",
}
"""Objectives of every run: how soon it converged."""

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
    return all_reported(check_network(task, model, loaded.recipe, data, execution).names, data)


def all_reported(names: Iterable[str], data: PreparedData) -> set[str]:
    """What runs on these data report, of the metrics that the recipe's training and evaluation give."""
    there = {name for name in names if len(data.splits.get("val", ())) or not name.startswith("val/")}
    return {*there, *OF_THE_MODEL, *OF_THE_RUN}


def refuse_unreported(asked: Mapping[str, str], names: set[str]) -> None:
    """Raises RecipeError or ErrorList for metrics that no run reports.

    Args:
        asked: Metric -> key path that asks for it.
        names: What runs report.
    """
    found: list[TrainwrightError] = []
    scored = any(known.startswith("val/") for known in names)
    for name, where in asked.items():
        if name.startswith("val/") and not scored:
            what, fix = f"there is no val split to compute {name} on", "give one, such as data.split.val=0.1"
            found.append(RecipeError(what, where=where, fix=fix))
        elif name not in names:
            guess = closest(name, names)
            fix = f"did you mean `{guess}`?" if guess else f"use one of: {', '.join(sorted(names))}"
            found.append(RecipeError(f"no run reports `{name}`", where=where, fix=fix))
    raise_all(found)


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
            value: float | None = _of_the_model(run, metric)
        elif name in OF_THE_RUN:
            value = _to_best(run, name)
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


def outcome_of(
    runs: Sequence[RunDirectory],
    objectives: Mapping[str, str],
    constraints: Sequence[str],
    statistic: str,
) -> dict[str, Any]:
    """What the finished runs of a trial come to.

    Args:
        runs: One per seed.
        objectives: Objective -> `maximize` or `minimize`.
        constraints: Metrics that are limited.
        statistic: `mean`, `median` or `worst` of the seeds.

    Returns:
        `values`, one per objective, and `details`: the values of every seed, the 95 % interval of each
        objective's mean by Student's t, and what is limited.

    Raises:
        RunError: A metric is missing or no finite number.
    """
    each = [objective_values(run, objectives) for run in runs]
    limited = [objective_values(run, constraints) for run in runs]
    by_name = dict(zip(objectives, map(list, zip(*each, strict=True)), strict=True))
    values = [combined(by_name[name], statistic, direction) for name, direction in objectives.items()]
    details: dict[str, Any] = {}
    if constraints:
        means = [statistics.fmean(column) for column in zip(*limited, strict=True)]
        details["constraints"] = dict(zip(constraints, means, strict=True))
    if len(runs) > 1:
        details["each"] = by_name
        details["runs"] = [str(run.path) for run in runs]
        details["intervals"] = {name: student_interval(found) for name, found in by_name.items()}
    known = known_latency(runs[0]) if "model/latency_ms" in objectives else None
    if known is not None:
        details.setdefault("intervals", {})["model/latency_ms"] = known.interval
    return {"values": values, "details": details}


def combined(values: Sequence[float], statistic: str, direction: str) -> float:
    """The statistic of an objective over seeds; the worst is by its direction."""
    if statistic == "worst":
        return min(values) if direction == "maximize" else max(values)
    return statistics.median(values) if statistic == "median" else statistics.fmean(values)


def student_interval(values: Sequence[float]) -> list[float]:
    """The 95 % interval of the mean of two or more normal draws."""

    half = _student(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    middle = statistics.fmean(values)
    return [middle - half, middle + half]


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # of scikit-learn's dependencies

    return float(stdtrit(freedom, 0.975))


def curve_of(run: RunDirectory, metrics: Sequence[str]) -> list[list[Any]]:
    """Epoch, step and metrics of every evaluated epoch of a run, as JSON holds them."""
    fixed = _fixed(run, metrics)
    rows = epoch_rows(run.metrics_file, run.record().resumed_from)
    found = []
    for row in rows:
        values = {name: row[name] for name in metrics if name in row}
        if values:
            found.append([int(row["epoch"]), int(row["step"]), {**fixed, **values}])
    return found


def report_values(
    run: RunDirectory, epoch: int, metrics: Sequence[str], latest: Mapping[str, float]
) -> dict[str, float]:
    """What a run reports of an epoch; empty where it was not evaluated.

    Args:
        run: The run.
        epoch: Epochs done.
        metrics: Names that are wanted.
        latest: Metrics of the last epoch; empty right after a resume, when the run's file is read.
    """
    row = latest
    if not row:
        rows = epoch_rows(run.metrics_file, run.record().resumed_from)
        row = next((row for row in rows if row["epoch"] == epoch), {})
    values = {name: float(row[name]) for name in metrics if name in row}
    changing = any(name not in OF_THE_MODEL for name in metrics)
    return {**_fixed(run, metrics), **values} if values or not changing else {}


def _fixed(run: RunDirectory, metrics: Sequence[str]) -> dict[str, float]:
    """What of the metrics does not change in a training; nothing before there are weights."""
    if not run.best.exists():
        return {}
    found = {name: _of_the_model(run, name.partition("/")[2]) for name in metrics if name in OF_THE_MODEL}
    return {name: value for name, value in found.items() if value is not None}


def _to_best(run: RunDirectory, name: str) -> float | None:
    record = run.record()
    found = convergence(run, record).get(name)
    if found is None and name == EPOCHS and (step := (record.best or {}).get("step")) is not None:
        # Of a run whose epochs were not timed.
        rows = epoch_rows(run.metrics_file, record.resumed_from)
        return next((row["epoch"] for row in rows if row["step"] >= step), None)
    return found


def _of_the_model(run: RunDirectory, metric: str) -> float | None:
    if metric == "latency_ms":
        known = known_latency(run)
        return None if known is None else known.quick
    if metric == "bytes":
        return float(run.best.stat().st_size)
    return float(_parameters(run.best))


def _parameters(weights: Path) -> int:
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))  # the layout of safetensors
        header = json.loads(file.read(length))
    return sum(
        math.prod(item["shape"])
        for name, item in header.items()
        if name != "__metadata__" and not name.endswith(_STATISTICS)
    )
