"""Reading metrics back: one series per name, whatever was repeated after a resume."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainwright.errors import RunError
from trainwright.runs.atomic import write_text

Series = dict[str, list[tuple[int, float]]]
_TAIL = 1 << 16


@dataclass(frozen=True, slots=True)
class MetricRecord:
    """One line of `metrics.jsonl`."""

    step: int
    epoch: float
    attempt: int
    time: float
    values: dict[str, float]


def read_records(path: str | os.PathLike[str]) -> Iterator[MetricRecord]:
    """Every whole line in the order of the file. A torn last line is dropped, no file is no lines.

    Raises:
        RunError: A line other than the last cannot be read: the file was edited or damaged.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return
    lines = data.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # behind the last newline: nothing, or a torn line
        try:
            yield parse_record(line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines) - 1:
                return
            raise RunError(
                "a line of the metrics cannot be read",
                where=f"{os.fspath(path)}:{number}",
                why=str(error),
                fix="delete this line; the values of its step will be missing",
            ) from error


def read_metrics(path: str | os.PathLike[str], resumed_from: Mapping[int, int] | None = None) -> Series:
    """One series per metric name, sorted by step.

    Steps that were repeated after a resume appear once, with the value of the highest attempt.

    Args:
        path: `metrics.jsonl`.
        resumed_from: Attempt -> step at which it went on. Values of earlier attempts behind that step
            belong to a past that was abandoned, and are left out.

    Returns:
        Name -> list of (step, value).
    """
    best: dict[str, dict[int, tuple[int, float]]] = {}
    for record in read_current(path, resumed_from):
        for name, value in record.values.items():
            series = best.setdefault(name, {})
            known = series.get(record.step)
            if known is None or record.attempt >= known[0]:
                series[record.step] = (record.attempt, value)
    return {name: [(step, series[step][1]) for step in sorted(series)] for name, series in best.items()}


def epoch_rows(
    path: str | os.PathLike[str], resumed_from: Mapping[int, int] | None = None
) -> list[dict[str, float]]:
    """One row per epoch: `epoch` from 1, `step`, and the last value of every metric within that epoch.

    Of the values within an epoch (`step/loss`) only those stay that say something else than the epoch's own
    (`train/loss`, `lr`); norms of gradients (`grad/...`) are of single steps, and are left out.
    """
    rows: dict[float, dict[str, float]] = {}
    for record in sorted(
        read_current(path, resumed_from), key=lambda item: (item.epoch, item.attempt, item.step)
    ):
        row = rows.setdefault(record.epoch, {"epoch": record.epoch + 1})
        row["step"] = record.step
        row.update({name: value for name, value in record.values.items() if not name.startswith("grad/")})
    found = [rows[epoch] for epoch in sorted(rows)]
    within = {name for row in found for name in row if name.startswith("step/")}
    repeated = {
        name for name in within if all(row[name] == _of_epoch(row, name) for row in found if name in row)
    }
    return [{name: value for name, value in row.items() if name not in repeated} for row in found]


def _of_epoch(row: Mapping[str, float], name: str) -> float | None:
    """The epoch's own value of what `step/...` gives within it."""
    bare = name.removeprefix("step/")
    return row.get(f"train/{bare}", row.get(bare))


def write_results(
    path: str | os.PathLike[str],
    metrics: str | os.PathLike[str],
    resumed_from: Mapping[int, int] | None = None,
) -> None:
    """Writes `results.csv` from `metrics.jsonl`: one row per epoch, empty where nothing was measured.

    Raises:
        StorageError: The file cannot be written.
    """
    rows = epoch_rows(metrics, resumed_from)
    columns = dict.fromkeys(["epoch", "step", *(name for row in rows for name in row)])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def last_values(path: str | os.PathLike[str]) -> dict[str, float]:
    """The newest value of every metric near the end of the file; quick on a long one."""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return {}
    values: dict[str, float] = {}
    for line in lines[1 if size > _TAIL else 0 : -1]:
        try:
            values.update(parse_record(line).values)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # `read_records` tells of damage; a table of runs has no room for it
    return values


def read_current(
    path: str | os.PathLike[str], resumed_from: Mapping[int, int] | None
) -> Iterator[MetricRecord]:
    """Records in the order of the file, without those of an abandoned past; see `read_metrics`."""
    starts = resumed_from or {}
    for record in read_records(path):
        if all(record.step <= step for attempt, step in starts.items() if attempt > record.attempt):
            yield record


def parse_record(line: bytes) -> MetricRecord:
    """One line of the spool. Raises ValueError, KeyError, TypeError or AttributeError where it is none."""
    value = json.loads(line)
    return MetricRecord(
        step=int(value["step"]),
        epoch=value["epoch"],
        attempt=int(value["attempt"]),
        time=float(value["time"]),
        values={name: float(number) for name, number in value["values"].items()},
    )
