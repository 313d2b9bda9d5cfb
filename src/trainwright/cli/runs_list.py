"""The table of runs: which ones, in which order, with which columns, for eyes, CSV or JSON."""

from __future__ import annotations

import argparse
import csv
import sys
from typing import TYPE_CHECKING, Any

from trainwright.cli.common import say, say_json, table
from trainwright.cli.run_words import age, duration, main_metrics, progress

if TYPE_CHECKING:
    from trainwright.runs.selecting import Known


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `runs list` takes."""
    parser.add_argument(
        "patterns", metavar="RUN", nargs="*", help="path, id, name, salt or glob; all if absent"
    )
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        action="append",
        default=[],
        help="'test/accuracy>=0.9', state=done, train.optimizer.lr<0.01; several have all to hold",
    )
    parser.add_argument("--sort", metavar="KEY", help="a column, metric or recipe key; -KEY for falling")
    parser.add_argument("--columns", metavar="KEYS", help="what to show, by comma")
    parser.add_argument("--csv", action="store_true", help="as CSV")


def list_runs(arguments: argparse.Namespace) -> None:
    """Prints the table."""
    from trainwright.runs.listing import DAMAGED, find_runs, rows

    directories = find_runs(getattr(arguments, "patterns", []), arguments.runs_dir)
    columns = [key for key in (getattr(arguments, "columns", None) or "").split(",") if key]
    found = _chosen(arguments, directories, rows(directories), columns)
    as_csv = getattr(arguments, "csv", False)
    if arguments.json:
        chosen = columns or None
        say_json([{k: run[k] for k in chosen} if chosen else run.row.as_json() for run in found])
    elif not found and not as_csv:
        say(
            f"no runs in {arguments.runs_dir}" if not directories else f"none of {len(directories)} runs fits"
        )
    elif as_csv:
        _write_csv(found, columns)
    elif columns:
        keys = columns if "id" in columns else ["id", *columns]
        say(table(keys, [[run[key] for key in keys] for run in found]))
    else:
        say(table(["run", "state", "step", "age", "time", "metrics"], [_cells(run.row) for run in found]))
    for run in found:
        if run.row.state == DAMAGED and not (arguments.json or as_csv):
            say(f"damaged: {run.row.reason}")


def _chosen(arguments: argparse.Namespace, directories: Any, rows: Any, columns: list[str]) -> list[Known]:
    """Runs that fit the conditions, in order."""
    from trainwright.runs.selecting import condition, known, ordered

    conditions = [condition(text) for text in getattr(arguments, "where", [])]
    sort = getattr(arguments, "sort", None) or ""
    key = sort.removeprefix("-")
    keys = [*columns, *(key for key, _ in conditions), *([key] if key else [])]
    found = [
        run for run in known(directories, rows, keys) if all(holds(run[name]) for name, holds in conditions)
    ]
    return ordered(found, key, falling=sort.startswith("-")) if key else found


def _write_csv(found: list[Known], columns: list[str]) -> None:
    """All columns where none are named: the row's fields, then the metrics."""
    if not columns:
        metrics = dict.fromkeys(name for run in found for name in run.row.metrics)
        columns = ["id", "state", "step", "epoch", "created", "seconds", *metrics]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if run[key] is None else run[key] for key in columns] for run in found])


def _cells(item: Any) -> list[Any]:
    return [
        item.id,
        item.state,
        progress(item),
        age(item.created),
        duration(item.seconds),
        main_metrics(item),
    ]
