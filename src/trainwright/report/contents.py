"""What a run directory holds for a report, read once. Nothing but the directory is asked."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from trainwright.errors import RunError
from trainwright.inference.predictions import Predictions, read_predictions
from trainwright.runs.directory import RunDirectory
from trainwright.runs.events import read_events
from trainwright.runs.ledger import EpochLine, read_ledger
from trainwright.runs.metrics import Series
from trainwright.runs.record import RunRecord
from trainwright.runs.scores import read_scores

# The split that answers "how good is it" comes first.
ORDER = ("test", "val", "train")


@dataclass(frozen=True)
class Evaluation:
    """One split's evaluation.

    Attributes:
        split: Its name.
        metrics: Metric -> value, as `evaluate` wrote them.
        predictions: A row per sample.
    """

    split: str
    metrics: dict[str, float]
    predictions: Predictions


@dataclass
class Contents:
    """Everything a report is made of.

    Attributes:
        run: Names of the directory's files.
        record: `run.json`.
        metrics: Metric -> list of (step, value).
        evaluations: Evaluated splits, the most telling first.
        recipe: The resolved recipe as data, empty where it cannot be read.
        recipe_text: The resolved recipe as written, with origins.
        summary: `data/summary.json`.
        dropped: Rows of `data/dropped.csv`.
        processors: `processors.json`.
        timings: Seconds per part.
        health: What was found wrong while it trained, in sentences.
        ledger: Where the time of each epoch went.
    """

    run: RunDirectory
    record: RunRecord
    metrics: Series
    evaluations: list[Evaluation] = field(default_factory=list)
    recipe: dict[str, Any] = field(default_factory=dict)
    recipe_text: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    dropped: list[dict[str, str]] = field(default_factory=list)
    processors: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    hard: Predictions | None = None
    health: list[str] = field(default_factory=list)
    ledger: list[EpochLine] = field(default_factory=list)

    def target_types(self, evaluation: Evaluation) -> dict[str, str]:
        """Type of every target with predictions: as `processors.json` says, else as its columns look."""
        columns = evaluation.predictions.columns
        names = [name.removesuffix("_predicted") for name in columns if name.endswith("_predicted")]
        known = self.processors.get("targets", {})
        # Of pictures the table has no answer, only how good it is.
        names += [name for name in known if f"{name}_psnr" in columns or f"{name}_miou" in columns]
        looks = {name: "category" if f"{name}_probability" in columns else "number" for name in names}
        return {name: known.get(name, {}).get("type", looks[name]) for name in names}

    def fitted(self, target: str) -> dict[str, Any]:
        """What a target's processor learned from the training split, as `processors.json` says."""
        state = self.processors.get("targets", {}).get(target, {}).get("state", {})
        fitted: dict[str, Any] = state.get("fitted", {})
        return fitted

    def classes(self, evaluation: Evaluation, target: str) -> tuple[str, ...]:
        """Class names in the order of the ids."""
        stored = evaluation.predictions.classes.get(target)
        names = stored or self.fitted(target).get("classes")
        if names:
            return tuple(str(name) for name in names)
        columns = evaluation.predictions.columns
        if not isinstance(columns.get(f"{target}_predicted"), list):
            return ()  # numbers and pictures have none
        seen = {*columns.get(target, []), *columns[f"{target}_predicted"]} - {None}
        return tuple(sorted(seen))


def read_run(path: Path) -> Contents:
    """Reads a run directory; what is not there stays empty.

    Raises:
        RunError: There is no run, or one of its files is damaged.
    """
    run = RunDirectory.open(path)
    recipe_text = _text(run.resolved)
    record = run.record()
    return Contents(
        run=run,
        record=record,
        metrics=run.metrics(),
        evaluations=_evaluations(run),
        recipe=_recipe(recipe_text),
        recipe_text=recipe_text or _text(run.recipe),
        summary=_json(run.data / "summary.json"),
        dropped=_rows(run.data / "dropped.csv"),
        processors=_json(run.processors),
        timings={name: float(value) for name, value in _json(run.timings).items()},
        hard=read_predictions(run.hard_samples) if run.hard_samples.exists() else None,
        health=findings(run, record),
        ledger=read_ledger(run, record),
    )


def findings(run: RunDirectory, record: RunRecord) -> list[str]:
    """What was found wrong while a run trained, each once, in the order of the steps."""
    events = read_events(run.findings, record.resumed_from)
    told = {(event.step, str(event.values.get("text"))) for event in events}
    return [f"step {step:,}: {text}" for step, text in sorted(told)]


def _evaluations(run: RunDirectory) -> list[Evaluation]:
    found = sorted(path.parent.name for path in run.path.glob("evaluation/*/predictions.parquet"))
    found.sort(key=lambda split: ORDER.index(split) if split in ORDER else len(ORDER))
    return [
        Evaluation(
            split,
            _scores(run.evaluation(split) / "metrics.json"),
            read_predictions(run.evaluation(split) / "predictions.parquet"),
        )
        for split in found
    ]


def _scores(path: Path) -> dict[str, float]:
    return read_scores(path) if path.is_file() else {}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes()) if path.is_file() else {}
    except ValueError as error:
        raise RunError("a file of the run is damaged", where=str(path), why=str(error)) from error
    return value if isinstance(value, dict) else {}


def _recipe(text: str) -> dict[str, Any]:
    try:
        value = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return {}  # shown as text all the same
    return value if isinstance(value, dict) else {}


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
