"""The recipes that ship: list them, show one, copy one to start from."""

from __future__ import annotations

import argparse

from trainwright.cli.common import say, say_json, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list` (also when nothing is said), `show` and `copy`."""
    parser.add_argument("--json", action="store_true", help="machine output of the list")
    actions = parser.add_subparsers(dest="action", metavar="list|show|copy")
    listing = actions.add_parser("list", help="names and descriptions", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="machine output")
    show = actions.add_parser("show", help="print a recipe", allow_abbrev=False)
    show.add_argument("name", metavar="NAME")
    copy = actions.add_parser("copy", help="copy a recipe to change it", allow_abbrev=False)
    copy.add_argument("name", metavar="NAME")
    copy.add_argument("destination", metavar="FILE", nargs="?", default=".", help="file or directory [.]")


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the three actions."""
    from trainwright import recipe

    if arguments.action == "show":
        found = recipe.read_shipped(arguments.name)
        if found.variables:
            # A comment: what is shown stays a recipe that can be written to a file.
            say(f"# Reads the environment variables: {found.needs}")
        say(found.path.read_text(encoding="utf-8").rstrip("\n"))
    elif arguments.action == "copy":
        path = recipe.copy_recipe(arguments.name, arguments.destination)
        say(f"{path}\ntrain it with  trainwright train {path}")
    elif arguments.json:
        say_json(
            [
                {"name": r.name, "description": r.description, "path": str(r.path), "variables": r.variables}
                for r in recipe.shipped()
            ]
        )
    else:
        rows = [[item.name, item.needs, item.description] for item in recipe.shipped()]
        say(table(["recipe", "variables", "what it does"], rows))
    return 0
