"""A table without times whose rows follow each other all the same: a signal with a label at every step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.sniffing.csv_head import first_lines
from trainwright.data.sniffing.guess import Guess, split_for
from trainwright.data.sniffing.values import named_target

_FEWEST = 1000  # rows of a signal
_SMOOTH = 0.2  # mean step from row to row, in standard deviations: 0.7 of numbers in any order and more
_RUN = 50  # rows that a label lasts, in the mean of all but the last
_PARTS = 8  # windows in the shortest run
_WINDOW = (8, 64)  # steps


def annotated_signal(table: Path) -> Guess | None:
    """Windows of a signal and their labels; None where the rows do not look like steps of time.

    Args:
        table: A file of comma separated or other values, or of Parquet.
    """
    if table.suffix.lower() == ".csv":  # another kind of table is read in full to know its columns
        lines = first_lines(table)
        if not lines or named_target(lines[0]) is None:
            return None
    from trainwright.data.sources.series import SeriesSource
    from trainwright.data.sources.table import TableSource

    rows = TableSource(path=str(table))
    label = named_target(list(rows.columns))
    if rows.faults or label is None or len(rows) < _FEWEST:
        return None
    channels = [np.asarray(rows.column(name)) for name in rows.columns if name != label]
    runs = _runs(np.asarray(rows.column(label)))
    if not channels or not all(map(_is_smooth, channels)) or len(runs) < 2 or len(rows) < _RUN * len(runs):
        return None
    window = int(np.clip(runs.min() // _PARTS, *_WINDOW))
    spec: dict[str, Any] = {
        "name": "series",
        "path": str(table),
        "values": [name for name in rows.columns if name != label],
        "label": label,
        "window": window,
    }
    source = SeriesSource(**{name: value for name, value in spec.items() if name != "name"})
    notes = [
        f"{len(rows)} rows that follow each other smoothly, and {label!r} in {len(runs)} runs: a signal",
        f"windows of {window} steps that do not overlap; the class is the most frequent one of the steps",
        *source.notices,
    ]
    inputs = {"series": {"type": "series"}}
    return Guess(spec, inputs, {"label": {"type": "category"}}, split_for(len(source)), len(source), notes)


def _runs(labels: np.ndarray) -> np.ndarray:
    """Lengths of the stretches of equal labels, int64."""
    borders = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    return np.diff(np.concatenate([[0], borders, [len(labels)]]))


def _is_smooth(values: np.ndarray) -> bool:
    if values.dtype.kind != "f" or np.isnan(values).any():
        return False
    spread = float(values.std())
    return spread > 0 and float(np.abs(np.diff(values)).mean()) < _SMOOTH * spread
