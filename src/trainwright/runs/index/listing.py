"""The table of runs from the index, as it would be from the directories."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.facts import recipe_signature
from trainwright.runs.index.runs_table import Entry, RunIndex
from trainwright.runs.index.syncing import open_index, sync, update
from trainwright.runs.listing import rows
from trainwright.runs.selecting import FIELDS, Known, Query, refuse_unknown

_PATIENCE = 5.0  # seconds; the directories can be read instead


def indexed_runs(
    place: str,
    runs_dir: str | os.PathLike[str],
    query: Query,
    *,
    ids: Sequence[str] | None = None,
    complete: bool = False,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[list[Known], int]:
    """Runs of a folder, after the index was brought up to date.

    Only what the query asks for is read of all runs, and rows are made of those that fit.

    Args:
        place: Where the index is.
        runs_dir: The folder.
        query: Which of them, in which order; oldest first where it does not say.
        ids: Only these, in this order.
        complete: Give all metrics of each, instead of the main ones and those that are asked for.
        told: Called while many runs are read, with the number done and of all.

    Returns:
        The runs that fit, and the number of all that were looked at.

    Raises:
        IndexUnavailable: The index cannot be used now; the directories can.
        UserError: No run has a value of one of the keys.
    """
    index = open_index(place, runs_dir, patience=_PATIENCE)
    try:
        entries = index.entries()
        if sync(index, entries, told):
            entries = index.entries()
        chosen = list(entries.values()) if ids is None else [entries[id] for id in ids if id in entries]
        columns = _Columns(index, chosen, query.keys)
        found = query.choose([entry.number for entry in chosen], columns.value)
        metrics = index.all_last_values(found) if complete else columns.metrics(found)
        recipes = columns.recipes(found)
        shown = index.rows(found, metrics if complete else None) | columns.live
        for number in found if not complete else ():
            shown[number].metrics.update(metrics[number])
        return [Known(shown[number], recipes[number]) for number in found], len(chosen)
    finally:
        index.close()


class _Columns:
    """What a query asks of all runs, key by key.

    Args:
        index: Up to date.
        runs: Those that are looked at.
        keys: Fields, metrics and recipe values.

    Raises:
        UserError: No run has a value of one of the keys.
    """

    def __init__(self, index: RunIndex, runs: Sequence[Entry], keys: Sequence[str]) -> None:
        # A run at work is shown as it is now.
        self.live = {
            entry.number: rows([RunDirectory(f"{index.path}/{entry.id}")])[0] for entry in runs if entry.live
        }
        numbers = {entry.number for entry in runs}
        self._fields = {key: self._field(index, key) for key in keys if key in FIELDS}
        self._metrics = {key: self._metric(index, key, numbers) for key in keys if key not in FIELDS}
        missing = [key for key, values in self._metrics.items() if numbers.isdisjoint(values)]
        for key in missing:
            del self._metrics[key]
        self._recipes = _recipes(index, runs, missing, numbers)
        unknown = [key for key, values in self._recipes.items() if numbers.isdisjoint(values)]
        refuse_unknown(unknown, (), bool(runs), index.keys)
        self._all: Mapping[str, Mapping[int, Any]] = {**self._fields, **self._metrics, **self._recipes}

    def value(self, number: int, key: str) -> Any:
        """What a run has under a key."""
        return self._all[key].get(number)

    def metrics(self, numbers: Sequence[int]) -> dict[int, dict[str, float]]:
        """Metrics that were asked for."""
        return _by_run(self._metrics, numbers)

    def recipes(self, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Recipe values that were asked for."""
        return _by_run(self._recipes, numbers)

    def _field(self, index: RunIndex, key: str) -> dict[int, Any]:
        if key == "tags":
            tags = index.tags()
            of_all: dict[int, Any] = {run: ",".join(tags.get(run, ())) for run in index.field("id")}
        elif key == "path":
            of_all = {number: f"{index.path}/{id}" for number, id in index.field("id").items()}
        else:
            of_all = index.field(key)
        return of_all | {number: getattr(row, key) for number, row in self.live.items()}

    def _metric(self, index: RunIndex, key: str, numbers: Collection[int]) -> dict[int, float]:
        now = {number: row.metrics[key] for number, row in self.live.items() if key in row.metrics}
        return index.last_values(key, numbers) | now


def _by_run(columns: Mapping[str, Mapping[int, Any]], numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    return {
        number: {key: values[number] for key, values in columns.items() if number in values}
        for number in numbers
    }


def _recipes(
    index: RunIndex, runs: Sequence[Entry], keys: Sequence[str], numbers: Collection[int]
) -> dict[str, dict[int, Any]]:
    """Recipe values of all runs; a recipe that was edited by hand is read again first."""
    if not keys:
        return {}
    known = index.recipe_signatures()
    edited = [run.id for run in runs if recipe_signature(f"{index.path}/{run.id}") != known.get(run.number)]
    if edited:
        update(index, edited)
    return {key: index.recipe_values(key, numbers) for key in keys}


def ids_within(directories: Sequence[RunDirectory], runs_dir: str | os.PathLike[str]) -> list[str] | None:
    """Ids of runs of one folder; None where one of them lies elsewhere."""
    base = Path(runs_dir).resolve()
    inside = all(run.path.resolve() == base / run.id for run in directories)
    return [run.id for run in directories] if inside else None
