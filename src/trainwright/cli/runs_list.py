"""The table of runs: which ones, in which order, with which columns, for eyes, CSV or JSON."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from trainwright.cli.common import say, say_json, table, tell
from trainwright.cli.run_words import age, duration, main_metrics, progress

if TYPE_CHECKING:
    from trainwright.runs.directory import RunDirectory
    from trainwright.runs.selecting import Known, Query


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
    parser.add_argument("--archived", action="store_true", help="those that are archived instead")
    parser.add_argument("--csv", action="store_true", help="as CSV")


def list_runs(arguments: argparse.Namespace) -> None:
    """Prints the table."""
    from trainwright.runs.listing import DAMAGED

    query, as_csv = query_of(arguments), getattr(arguments, "csv", False)
    columns = list(query.columns)
    found, there = _found(arguments, query)
    if arguments.json:
        say_json([{k: run[k] for k in columns} if columns else run.row.as_json() for run in found])
    elif not found and not as_csv:
        kind = "archived runs" if getattr(arguments, "archived", False) else "runs"
        say(f"none of {there} {kind} fits" if there else f"no {kind} in {arguments.runs_dir}")
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


def query_of(arguments: argparse.Namespace) -> Query:
    """What the options ask for. Raises UserError."""
    from trainwright.runs.selecting import Query, condition

    sort = getattr(arguments, "sort", None) or ""
    columns = [key for key in (getattr(arguments, "columns", None) or "").split(",") if key]
    conditions = tuple(condition(text) for text in getattr(arguments, "where", []))
    return Query(conditions, sort.removeprefix("-"), sort.startswith("-"), tuple(columns))


def _found(arguments: argparse.Namespace, query: Query) -> tuple[list[Known], int]:
    """Runs that match the patterns and fit the query, and the number of those that match."""
    from trainwright.runs.listing import find_runs, rows
    from trainwright.runs.selecting import known

    if getattr(arguments, "archived", False):
        return _archived(arguments, query)
    complete = not query.columns and (arguments.json or getattr(arguments, "csv", False))
    patterns = getattr(arguments, "patterns", [])
    directories = find_runs(patterns, arguments.runs_dir) if patterns else None
    found = _indexed(arguments, directories, query, complete=complete)
    if found is not None:
        return found
    directories = find_runs(patterns, arguments.runs_dir)
    there = known(directories, rows(directories), query.keys)
    return query.choose(there, lambda run, key: run[key]), len(there)


def _archived(arguments: argparse.Namespace, query: Query) -> tuple[list[Known], int]:
    from trainwright.runs.archive import find_archived, query_archived

    there = find_archived(arguments.patterns, arguments.runs_dir)
    return query_archived(there, query), len(there)


def _indexed(
    arguments: argparse.Namespace, directories: list[RunDirectory] | None, query: Query, *, complete: bool
) -> tuple[list[Known], int] | None:
    """The same from the index; None where there is none, or it cannot be used now."""
    from trainwright.runs.index.database import IndexUnavailable
    from trainwright.runs.index.listing import ids_within, indexed_runs
    from trainwright.runs.index.place import index_place
    from trainwright.runs.index.syncing import is_runs_folder

    place = index_place(arguments.runs_dir)
    ids = None if directories is None else ids_within(directories, arguments.runs_dir)
    if place is None or not is_runs_folder(arguments.runs_dir) or (directories is not None and ids is None):
        return None
    try:
        return indexed_runs(place, arguments.runs_dir, query, ids=ids, complete=complete, told=show_reading)
    except IndexUnavailable as error:
        tell(f"{error}\nthe run directories are read instead")
        return None


def show_reading(done: int, all: int) -> None:
    """Says how far the reading of many runs is, which takes a while."""
    if all > 200 and done % 1000 == 0:
        tell(f"reading {all - done} runs into the index")


def _write_csv(found: list[Known], columns: list[str]) -> None:
    """All columns where none are named: the row's fields, then the metrics."""
    import csv

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
