"""Score runs through the path that also predicts: on a split of their own data, or on other data."""

from __future__ import annotations

import argparse
from typing import Any

from trainwright.cli.common import add_runs, say, say_json, table, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_runs(parser, many=True)
    parser.add_argument("--split", default="test", help="split to score [test]")
    parser.add_argument(
        "--data", metavar="PATH", help="other data of the same kind, in place of the run's own"
    )
    parser.add_argument("--json", action="store_true", help="machine output")


def run(arguments: argparse.Namespace) -> int:
    """Prints one row of metrics per run."""
    from trainwright.runs.listing import chosen_runs
    from trainwright.workflows.evaluating import evaluate

    results: dict[str, dict[str, Any]] = {}
    for directory in chosen_runs(arguments.runs, arguments.runs_dir):
        if directory.owner() is not None:
            tell(f"{directory.path} is still being trained: its best weights so far are scored")
        results[str(directory.path)] = evaluate(directory.path, split=arguments.split, data=arguments.data)
    if arguments.json:
        say_json(results)
    elif len(results) == 1:
        [metrics] = results.values()
        say(table(["metric", arguments.split], sorted(metrics.items())))
    else:
        names = list(dict.fromkeys(name for metrics in results.values() for name in metrics))
        say(table(["run", *names], [[path, *(m.get(n) for n in names)] for path, m in results.items()]))
    return 0
