"""Several runs as one model: the mean of their weights, kept only if it is as good as the best of them."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn

from trainwright import recipe as recipes
from trainwright.data.batch import Batch
from trainwright.data.loader import Loader, Pipeline
from trainwright.data.samplers.sequential import Sequential
from trainwright.data.stream_store import store_of
from trainwright.data.types import PreparedData
from trainwright.engine.build import watched_metric
from trainwright.engine.evaluation import pad_batch
from trainwright.errors import RunError
from trainwright.inference.evaluation import evaluate_split
from trainwright.inference.predictor import Predictor
from trainwright.models.averaging import has_running_statistics, mean_weights, refit_statistics
from trainwright.models.weights import apply_weights, load_weights
from trainwright.progress import NoProgress
from trainwright.recipe.salt import digest
from trainwright.runs.atomic import StorageError
from trainwright.runs.difference import changes, resolved_values
from trainwright.runs.directory import RunDirectory
from trainwright.runs.lineage import ancestors
from trainwright.runs.record import RunState
from trainwright.workflows.reporting import report_on
from trainwright.workflows.run_files import write_weights
from trainwright.workflows.training import load_data

How = Literal["greedy", "uniform", "interpolate"]
_STEPS = 11
_COPIED = ("recipe.yaml", "recipe.resolved.yaml", "processors.json", "data")


@dataclass(frozen=True)
class Combined:
    """What came out.

    Attributes:
        run: The new run.
        metric: What decided, such as `val/accuracy`.
        scores: Run -> its own value.
        shares: Run -> its share of the mean, those that have one.
        score: Value of the mean.
    """

    run: RunDirectory
    metric: str
    scores: dict[str, float]
    shares: dict[str, float]
    score: float


def combine(runs: Sequence[RunDirectory], *, how: How = "greedy", runs_dir: str | Path) -> Combined:
    """Averages the best weights of several runs and keeps the mean as a run of its own.

    `uniform` takes all equally. `greedy` begins with the best run and takes each further one, the better ones
    first, that does not make the mean worse. `interpolate` looks at eleven points between two runs. Running
    statistics of BatchNorm are computed anew on the training samples. What decides is the metric that the
    recipe watches, on the validation split.

    Args:
        runs: At least two, with one architecture, the same processors and the same data.
        how: See above.
        runs_dir: Where the new run is made.

    Raises:
        RunError: The runs do not fit together, or their mean is worse than the best of them.
    """
    if len(runs) < 2 or (how == "interpolate" and len(runs) != 2):
        raise RunError(
            f"{len(runs)} runs cannot be combined",
            where=f"--how {how}",
            fix="name two runs" if how == "interpolate" else "name two runs or more",
        )
    kitchen = _Kitchen(runs)
    order = sorted(runs, key=lambda run: kitchen.rank(kitchen.alone[run.id]), reverse=True)
    shares, score = _mix(kitchen, order, how)
    best = kitchen.alone[order[0].id]
    if kitchen.rank(score) < kitchen.rank(best):
        told = ", ".join(f"{run.id} {kitchen.alone[run.id]:.4g}" for run in order)
        apart = "they began with different weights, so they are far from each other"
        raise RunError(
            f"the mean of these runs has {kitchen.metric} {score:.4g}, worse than the best of them: {told}",
            where=", ".join(run.id for run in order),
            why="" if _related(runs) else apart,
            fix="combine runs that go on from one parent, or use --how greedy to leave out what harms",
        )
    kitchen.mix(shares)
    made = _keep(kitchen, order[0], shares, runs_dir)
    return Combined(made, kitchen.metric, kitchen.alone, shares, score)


class _Kitchen:
    """The members' weights, and one model in which their means are scored."""

    def __init__(self, runs: Sequence[RunDirectory]) -> None:
        self.runs = {run.id: run for run in runs}
        self.predictor = Predictor.load(runs[0].path)
        self.weights = {run.id: _weights(run) for run in runs}
        self._refuse_misfits(runs)
        loaded = recipes.load(runs[0].resolved)
        with recipes.located(loaded):
            self.data: PreparedData = load_data(
                loaded, NoProgress(), fitted={**self.predictor.inputs, **self.predictor.targets}
            )
        if not len(self.data.splits.get("val", ())):
            raise RunError(
                "there is no validation split to judge the mean by",
                where="data.split",
                fix="give data.split.val",
            )
        self.metric, self._mode = watched_metric(loaded.recipe, self.predictor.task)
        self.alone = {run.id: self.score({run.id: 1.0}) for run in runs}

    def rank(self, value: float) -> float:
        """Greater is better."""
        return float("-inf") if np.isnan(value) else value if self._mode == "max" else -value

    def mix(self, shares: dict[str, float]) -> dict[str, Tensor]:
        """Puts a mean into the model, its statistics fitted, and gives the model's state."""
        model = self.predictor.model
        mean = mean_weights([self.weights[name] for name in shares], list(shares.values()))
        apply_weights(model, mean, strict=True)
        if len(shares) > 1 and has_running_statistics(model):
            refit_statistics(model, self._pass_training_samples)
        return model.state_dict()

    def score(self, shares: dict[str, float]) -> float:
        """The watched metric of a mean."""
        self.mix(shares)
        split, _, name = self.metric.partition("/")
        return float(evaluate_split(self.predictor, self.data, split, None)[name])

    def _pass_training_samples(self, model: nn.Module) -> None:
        predictor, execution = self.predictor, self.predictor.runtime.execution
        pipeline = Pipeline(
            predictor.inputs, predictor.targets, channels_last=execution.channels_last, with_targets=False
        )
        store = store_of(self.data, predictor.runtime.device)
        rows = self.data.splits["train"]
        loader = Loader(store, pipeline, rows, execution.evaluation_batch, Sequential(), seed=0)
        for micro_batches in loader.batches(0):
            for batch in micro_batches:
                whole: Batch = pad_batch(batch, loader.batch_size)
                with predictor.runtime.autocast():
                    predictor.task.predict(model, whole)

    def _refuse_misfits(self, runs: Sequence[RunDirectory]) -> None:
        first = runs[0]
        for other in runs[1:]:
            divided = changes(_split_of(first), _split_of(other))
            same_data = (
                first.record().data["fingerprint"] == other.record().data["fingerprint"] and not divided
            )
            if not same_data or first.processors.read_bytes() != other.processors.read_bytes():
                what = "processors" if same_data else "data"
                raise RunError(
                    f"{other.id} was trained on other {what} than {first.id}",
                    where=str(other.path),
                    fix="combine runs of the same data",
                )
            try:
                mean_weights([self.weights[first.id], self.weights[other.id]])
            except ValueError as error:
                raise RunError(
                    f"{other.id} has another architecture than {first.id}",
                    where=str(other.path),
                    why=str(error),
                ) from error


def _split_of(run: RunDirectory) -> dict[str, Any]:
    """How a run's data are divided; samples that one member learned must not judge another."""
    return {"split": resolved_values(run)["data"].get("split")}


def _weights(run: RunDirectory) -> dict[str, Tensor]:
    if not run.best.exists():
        raise RunError(
            "the run has no weights yet", where=str(run.path), fix=f"trainwright resume {run.path}"
        )
    return load_weights(run.best)


def _mix(kitchen: _Kitchen, order: Sequence[RunDirectory], how: How) -> tuple[dict[str, float], float]:
    """Shares of the chosen members, and the score of their mean."""
    names = [run.id for run in order]
    if how == "uniform":
        shares = dict.fromkeys(names, 1 / len(names))
        return shares, kitchen.score(shares)
    if how == "interpolate":
        both = [{names[0]: 1 - part, names[1]: part} for part in np.linspace(0, 1, _STEPS).tolist()]
        points = [{name: share for name, share in point.items() if share} for point in both]
        scores = [kitchen.score(point) for point in points]
        best = max(range(_STEPS), key=lambda place: kitchen.rank(scores[place]))
        return points[best], scores[best]
    chosen, score = [names[0]], kitchen.alone[names[0]]
    for name in names[1:]:
        tried = [*chosen, name]
        found = kitchen.score(dict.fromkeys(tried, 1 / len(tried)))
        if kitchen.rank(found) >= kitchen.rank(score):
            chosen, score = tried, found
    return dict.fromkeys(chosen, 1 / len(chosen)), score


def _related(runs: Sequence[RunDirectory]) -> bool:
    """Whether all go on from one run, or began with the same weights file."""
    firsts = {ancestors(run)[0].path.resolve() for run in runs}
    began = {str(run.record().parts.get("weights")) for run in runs}
    return len(firsts) == 1 or (len(began) == 1 and began != {"None"})


def _keep(
    kitchen: _Kitchen, best: RunDirectory, shares: dict[str, float], runs_dir: str | Path
) -> RunDirectory:
    """Writes the model as a run: the best member's recipe and data, the mean's weights and scores."""
    members = [{"run": name, "share": share} for name, share in shares.items()]
    record = best.record()
    whole = digest({"members": [[kitchen.runs[n].record().digest, share] for n, share in shares.items()]})
    record = dataclasses.replace(
        record,
        name=f"{record.name}-combined",
        salt=whole[:10],
        digest=whole,
        created=time.time(),
        attempts=[],
        progress={},
        best={},
        parents=[{"member": item["run"], "share": item["share"]} for item in members],
        merged=[],
    )
    record.end(RunState.DONE, f"the mean of {len(shares)} runs")
    target = RunDirectory(Path(runs_dir) / f"{record.name}-{record.salt}")
    if target.record_file.exists():
        return target
    try:
        with tempfile.TemporaryDirectory(prefix=".combining-", dir=runs_dir) as folder:
            made = RunDirectory(Path(folder) / target.id)
            made.path.mkdir()
            for name in _COPIED:
                source = best.path / name
                (shutil.copytree if source.is_dir() else shutil.copy2)(source, made.path / name)
            write_weights(made.best, kitchen.predictor.model.state_dict(), kitchen.predictor.targets)
            for split in ("val", "test"):
                if len(kitchen.data.splits.get(split, ())):
                    evaluate_split(kitchen.predictor, kitchen.data, split, made.evaluation(split))
            made.save(record)
            report_on(made.path, kitchen.data)
            made.path.rename(target.path)
    except OSError as error:
        raise StorageError(target.path, error) from error
    return target
