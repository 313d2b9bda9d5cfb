"""Check everything that can be checked without training: recipe, data, shapes, loss, metrics, room."""

from __future__ import annotations

import argparse

from trainwright.cli.common import add_device, say
from trainwright.cli.train import refuse_extra


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; overrides are taken out before."""
    parser.add_argument("recipe", metavar="RECIPE", help="YAML file, or name of a shipped recipe")
    parser.add_argument(
        "override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value; --KEY VALUE too"
    )
    add_device(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints what was found; a problem is raised as an error."""
    refuse_extra(arguments.override_help)

    from trainwright.workflows.checking import check

    for line in check(arguments.recipe, arguments.overrides).lines:
        say(line)
    return 0
