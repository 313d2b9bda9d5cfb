"""Check everything that can be checked without training: recipe, data, shapes, loss, metrics, room."""

from __future__ import annotations

import argparse

from trainwright.cli.common import add_device, add_runs_dir, say
from trainwright.cli.train import refuse_extra


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; overrides are taken out before."""
    parser.add_argument("recipe", metavar="RECIPE", help="YAML file, or name of a shipped recipe")
    parser.add_argument(
        "override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value; --KEY VALUE too"
    )
    add_runs_dir(parser)
    add_device(parser)
    parser.add_argument(
        "--probe", action="store_true", help="measure memory and time of a step, also where memory is plenty"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints what was found; a problem is raised as an error."""
    refuse_extra(arguments.override_help)

    from trainwright.workflows.checking import check

    found = check(arguments.recipe, arguments.overrides, runs_dir=arguments.runs_dir, probe=arguments.probe)
    for line in found.lines:
        say(line)
    return 0
