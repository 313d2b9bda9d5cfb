"""Curves of several runs: from the index where it knows them as they are, else from their spools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.database import IndexUnavailable
from trainwright.runs.index.facts import signature
from trainwright.runs.index.place import index_place
from trainwright.runs.index.runs_table import RunIndex
from trainwright.runs.index.syncing import is_runs_folder, open_index
from trainwright.runs.metrics import Series

_PATIENCE = 2.0  # seconds; the spools can be read instead


def read_curves(runs: Sequence[RunDirectory], runs_dir: str | os.PathLike[str]) -> list[Series]:
    """Every run's curves, in the order of the runs. An index that lags behind is left as it is.

    Raises:
        RunError: A spool is damaged.
    """
    found = _indexed(runs, runs_dir)
    return [run.metrics() if series is None else series for run, series in zip(runs, found, strict=True)]


def _indexed(runs: Sequence[RunDirectory], runs_dir: str | os.PathLike[str]) -> list[Series | None]:
    """Curves that the index has in full, None for the others."""
    nothing: list[Series | None] = [None] * len(runs)
    base = Path(runs_dir).resolve()
    place = index_place(runs_dir)
    if place is None or not is_runs_folder(base):
        return nothing
    try:
        index = open_index(place, runs_dir, patience=_PATIENCE)
        try:
            return [_of_run(index, run) if run.path.resolve() == base / run.id else None for run in runs]
        finally:
            index.close()
    except IndexUnavailable:
        return nothing


def _of_run(index: RunIndex, run: RunDirectory) -> Series | None:
    entry = index.entries([run.id]).get(run.id)
    if entry is None or entry.live or signature(str(run.path), entry.watched) != entry.signature:
        return None
    try:
        size = run.metrics_file.stat().st_size
    except OSError:
        size = 0
    return index.series(entry.number) if index.mark(entry.number).offset == size else None
