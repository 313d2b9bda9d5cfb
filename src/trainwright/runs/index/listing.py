"""The table of runs from the index, as it would be from the directories."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.facts import recipe_signature
from trainwright.runs.index.runs_table import Entry, RunIndex
from trainwright.runs.index.syncing import open_index, sync, update
from trainwright.runs.listing import RunRow, rows
from trainwright.runs.selecting import FIELDS, Known, refuse_unknown

_PATIENCE = 5.0  # seconds; the directories can be read instead


def indexed_runs(
    place: str,
    runs_dir: str | os.PathLike[str],
    keys: Sequence[str],
    *,
    ids: Sequence[str] | None = None,
    complete: bool = False,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Known]:
    """Runs of a folder, oldest first, after the index was brought up to date.

    Args:
        place: Where the index is.
        runs_dir: The folder.
        keys: Metrics and recipe values that are asked for.
        ids: Only these, in this order.
        complete: Give all metrics of each, instead of the main ones and those that are asked for.
        told: Called while many runs are read, with the number done and of all.

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
        tags, notes = index.tags(), index.notes()
        values = _metrics(index, chosen, keys, complete=complete)
        asked = [key for key in keys if key not in FIELDS]
        known = [values.get(entry.number, {}) for entry in chosen]
        missing = [key for key in asked if not any(key in metrics for metrics in known)]
        recipes = _recipes(index, chosen, missing)
        refuse_unknown(missing, recipes.values(), bool(chosen), index.keys)
        return [
            IndexedRun(
                entry,
                metrics,
                recipes.get(entry.number, {}),
                complete=complete,
                tags=",".join(tags.get(entry.number, ())),
                note=notes.get(entry.number, ""),
            )
            for entry, metrics in zip(chosen, known, strict=True)
        ]
    finally:
        index.close()


class IndexedRun(Known):
    """A run from the index; its row is made when somebody asks for it.

    Args:
        entry: What the index knows.
        metrics: Final metrics that were asked for, or all of them.
        recipe: Recipe values that were asked for.
        complete: These metrics are all.
        tags: By comma.
        note: What people say of it.
    """

    _entry: Entry
    _metrics: dict[str, float]
    _complete: bool
    _tags: str
    _note: str

    def __init__(
        self,
        entry: Entry,
        metrics: dict[str, float],
        recipe: dict[str, Any],
        *,
        complete: bool,
        tags: str,
        note: str,
    ) -> None:
        # Past the frozen fields of `Known`.
        self.__dict__.update(recipe=recipe, _entry=entry, _metrics=metrics, _complete=complete)
        self.__dict__.update(_tags=tags, _note=note)
        if entry.live:
            _ = self.row  # as it is now, not when it is shown

    def __getitem__(self, key: str) -> Any:
        if key in FIELDS:
            return getattr(self.row, key)
        if key in self._metrics:
            return self._metrics[key]
        # A run at work may have a metric that the index has not.
        now = self.row.metrics.get(key) if self._entry.live else None
        return self.recipe.get(key) if now is None else now

    @cached_property
    def row(self) -> RunRow:
        """The table's row."""
        row = _row(self._entry)
        metrics = self._metrics if self._complete else {**row.metrics, **self._metrics}
        return dataclasses.replace(row, metrics=metrics, tags=self._tags, note=self._note)


def _row(entry: Entry) -> RunRow:
    """The row that is known, or that of now for a run that is at work."""
    return rows([RunDirectory(entry.path)])[0] if entry.live else entry.row


def _metrics(
    index: RunIndex, chosen: Sequence[Entry], keys: Sequence[str], *, complete: bool
) -> dict[int, dict[str, float]]:
    if complete:
        return index.all_last_values()
    found: dict[int, dict[str, float]] = {}
    for key in keys:
        if key not in FIELDS:
            for run, value in index.last_values(key).items():
                found.setdefault(run, {})[key] = value
    return found


def _recipes(index: RunIndex, chosen: Sequence[Entry], keys: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Recipe values of runs; a recipe that was edited by hand is read again first."""
    if not keys:
        return {}
    edited = [e.columns[0] for e in chosen if recipe_signature(e.path) != e.recipe_signature]
    if edited:
        update(index, edited)
    found: dict[int, dict[str, Any]] = {}
    for key in keys:
        for run, value in index.recipe_values(key).items():
            found.setdefault(run, {})[key] = value
    return found


def ids_within(directories: Sequence[RunDirectory], runs_dir: str | os.PathLike[str]) -> list[str] | None:
    """Ids of runs of one folder; None where one of them lies elsewhere."""
    base = Path(runs_dir).resolve()
    inside = all(run.path.resolve() == base / run.id for run in directories)
    return [run.id for run in directories] if inside else None
