"""Runs side by side, for eyes, as a page or as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.cli.common import say, say_json, table

if TYPE_CHECKING:
    from trainwright.report.comparison import Comparison, GroupValue

PAGE = "comparison.html"


def add_arguments(actions: Any) -> argparse.ArgumentParser:
    """What `runs compare` takes."""
    parser: argparse.ArgumentParser = actions.add_parser(
        "compare", help="several runs side by side, with paired tests", allow_abbrev=False
    )
    parser.add_argument("patterns", metavar="RUN", nargs="+", help="path, id, name, salt or glob")
    parser.add_argument("-o", "--output", metavar="FILE", help=f"the page [{PAGE} where runs live]")
    return parser


def compare(arguments: argparse.Namespace) -> None:
    """Prints the tables, or JSON, and writes the page."""
    from trainwright.runs.listing import find_runs
    from trainwright.workflows.comparing_runs import compare_runs, write_comparison

    found = compare_runs(find_runs(arguments.patterns, arguments.runs_dir), arguments.runs_dir)
    path = Path(arguments.output or Path(arguments.runs_dir) / PAGE)
    if arguments.json:
        if arguments.output:
            write_comparison(found, path)
        say_json(found.as_json())
        return
    write_comparison(found, path)
    _say_metrics(found)
    _say_recipe(found)
    say(f"page        {path}")


def _say_metrics(found: Comparison) -> None:
    names = list(found.groups)
    header = ["metric", "run", "value", "95 %", "difference", "95 %", "p", "adjusted", "over seeds", ""]
    lines = [
        [key if place == 0 else "", names[place], *_cells(value)]
        for key, values in found.metrics.items()
        for place, value in enumerate(values)
    ]
    say(table(header, lines))
    say()


def _cells(value: GroupValue) -> list[Any]:
    mean = "-" if value.mean is None else f"{value.mean:.4g}"
    own = mean if value.spread is None else f"{mean} ± {value.spread:.2g}"
    against = value.against
    if against is None:
        return [own, _range(value.interval), *[""] * 6]
    gap = "-" if against.difference is None else f"{against.difference:+.3g}"
    tests = ["" if p is None else f"{p:.2g}" for p in (against.p, against.p_adjusted, against.p_seeds)]
    return [own, _range(value.interval), gap, _range(against.interval), *tests, against.reason]


def _range(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3g} .. {interval[1]:.3g}"


def _say_recipe(found: Comparison) -> None:
    from trainwright.runs.comparing import as_text

    if not found.recipe:
        say("the recipes have equal values")
    else:
        rows = [[key, *map(as_text, values)] for key, values in found.recipe.items()]
        say(table(["recipe", *found.groups], rows))
    say()
