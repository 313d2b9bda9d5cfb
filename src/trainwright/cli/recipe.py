"""Recipes as documents: what differs between two, and the JSON Schema for editors.

trainwright recipe diff a.yaml b.yaml   values that differ, with the line each comes from
trainwright recipe diff mine.yaml       what it changes in the recipe that it extends
trainwright recipe schema > recipe.schema.json
"""

from __future__ import annotations

import argparse

from trainwright.cli.common import say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`diff` and `schema`."""
    actions = parser.add_subparsers(dest="action", metavar="diff|schema", required=True)
    diff = actions.add_parser("diff", help="values that differ", allow_abbrev=False)
    diff.add_argument("left", metavar="RECIPE")
    diff.add_argument("right", metavar="RECIPE", nargs="?", help="absent: the recipe that the first extends")
    actions.add_parser("schema", help="JSON Schema of a recipe", allow_abbrev=False)


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the two actions; `diff` gives 0 whether or not something differs."""
    from trainwright import recipe

    if arguments.action == "schema":
        from trainwright.recipe.editor_schema import json_schema

        say_json(json_schema())
        return 0
    if arguments.right is None:
        changes = recipe.diff_with_base(arguments.left)
    else:
        changes = recipe.diff(recipe.load(arguments.left), recipe.load(arguments.right))
    for change in changes:
        say(str(change))
    if not changes:
        say("the recipes have equal values")
    return 0
