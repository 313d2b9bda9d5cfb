"""What the index keeps of a run beside its curves, and how it is seen that a run has changed since."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trainwright.errors import RunError
from trainwright.runs.difference import flatten, resolved_values
from trainwright.runs.directory import RunDirectory
from trainwright.runs.labels import Labels, read_labels
from trainwright.runs.listing import RunRow, age_key, rows
from trainwright.runs.record import RunState

_RECIPE = "recipe.resolved.yaml"
_ALWAYS = ("run.json", "evaluation")
_LABELS = "labels.json"
# Of a run that is done nothing changes but what is evaluated anew, or edited by hand.
_UNFINISHED = ("", "lock", "metrics.jsonl", "state")
# A file that changes twice within one tick of the kernel's clock may look unchanged.
_TICK = 50_000_000


@dataclass(frozen=True)
class RunFacts:
    """A run as the index keeps it.

    Attributes:
        row: Its row in the table of runs, with all final metrics.
        born: What runs are ordered by.
        recipe: Leaves of its resolved recipe by key path.
        labels: What people say of it.
        live: A process works on it, so that its row is out of date at once.
        watched: Files that tell whether it has changed, relative to the run.
        signature: Of these files, from before they were read.
        recipe_signature: Of the resolved recipe.
        resumed_from: Attempt -> step at which it went on.
    """

    row: RunRow
    born: float
    recipe: dict[str, Any]
    labels: Labels
    live: bool
    watched: tuple[str, ...]
    signature: str
    recipe_signature: str
    resumed_from: dict[int, int]


def read_facts(run: RunDirectory) -> RunFacts:
    """Reads a run's files; a damaged run gives a row that says so."""
    evaluations = sorted(
        str(path.relative_to(run.path)) for path in run.path.glob("evaluation/*/metrics.json")
    )
    folder = str(run.path)
    signed = {name: _sign(folder, name) for name in (*_ALWAYS, _LABELS, *evaluations, *_UNFINISHED, _RECIPE)}
    row = rows([run])[0]
    try:
        resumed_from = run.record().resumed_from
    except RunError:
        resumed_from = {}
    settled = row.state == RunState.DONE and evaluations
    labelled = (_LABELS,) if run.labels.exists() else ()
    watched = (*_ALWAYS, *evaluations, *labelled, *(() if settled else _UNFINISHED))
    return RunFacts(
        row=row,
        born=age_key(run.path)[0],
        recipe=dict(flatten(_recipe(run))),
        labels=_labels(run),
        live=row.state == RunState.RUNNING,
        watched=watched,
        signature=_joined(signed[name] for name in watched),
        recipe_signature=_joined([signed[_RECIPE]]),
        resumed_from=resumed_from,
    )


def signature(folder: str, watched: Iterable[str]) -> str:
    """What changes when one of the files is written, replaced, made or removed."""
    stat = os.stat  # 10,000 runs are looked at before a table is shown
    found = []
    for name in watched:
        try:
            status = stat(f"{folder}/{name}")
        except OSError:
            found.append("-")
        else:
            found.append(f"{status.st_ino}.{status.st_size}.{status.st_ctime_ns}")
    return " ".join(found)


def recipe_signature(folder: str) -> str:
    """`signature` of a run's resolved recipe."""
    return signature(folder, (_RECIPE,))


def _sign(folder: str, name: str) -> tuple[str, bool]:
    """Signature of one file, and whether it is old enough to be trusted."""
    text = signature(folder, (name,))
    return text, text == "-" or time.time_ns() - int(text.rpartition(".")[2]) > _TICK


def _joined(signed: Iterable[tuple[str, bool]]) -> str:
    """Empty, which fits nothing, where a file is too new."""
    parts = list(signed)
    return " ".join(text for text, _ in parts) if all(settled for _, settled in parts) else ""


def _recipe(run: RunDirectory) -> dict[str, Any]:
    try:
        return resolved_values(run)
    except RunError:
        return {}  # a damaged run is told as such


def _labels(run: RunDirectory) -> Labels:
    try:
        return read_labels(run)
    except RunError as error:
        return Labels(note=str(error))
