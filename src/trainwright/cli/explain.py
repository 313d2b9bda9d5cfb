"""What a recipe key or a component means: its type, range, default, and when it has no effect.

trainwright explain train.batch_size     a key of the recipe
trainwright explain optimizer            the components of a kind
trainwright explain optimizer.adamw      one component with all its parameters
trainwright explain my_pkg.nets:MyNet --kind model
"""

from __future__ import annotations

import argparse

from trainwright.cli.common import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("what", metavar="KEY", help="key path, kind, kind.name or kind.name.parameter")
    parser.add_argument("--kind", metavar="KIND", help="kind of a component of your own, `module:attribute`")


def run(arguments: argparse.Namespace) -> int:
    """Prints the explanation."""
    from trainwright.recipe.explaining import explain

    say(explain(f"{arguments.kind}.{arguments.what}" if arguments.kind else arguments.what).rstrip("\n"))
    return 0
