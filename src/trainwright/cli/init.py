"""Look at a folder or table and write a complete, commented recipe for it.

trainwright init photos/            a folder with one subfolder per class
trainwright init houses.csv         a table; its last column is taken for the target
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from trainwright.cli.common import say
from trainwright.cli.new_file import refuse_existing, write_new
from trainwright.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("data", metavar="DATA", help="folder, zip, table or array file")
    parser.add_argument("-o", "--output", metavar="FILE", help="recipe to write, - for stdout [NAME.yaml]")
    parser.add_argument("--encoding", help="of a text table that is not UTF-8, such as latin1")
    parser.add_argument("--name", help="name of the recipe [that of the data]")


def run(arguments: argparse.Namespace) -> int:
    """Writes the recipe, and says what was found and what comes next."""
    from trainwright.workflows.first_recipe import first_recipe, recipe_name
    from trainwright.workflows.trainable import can_be_learned

    data = Path(arguments.data)
    if not data.exists():
        raise UserError("there are no such data", where=str(data))
    name = arguments.name or recipe_name(data)
    output = arguments.output or f"{name}.yaml"
    if output != "-":
        refuse_existing(Path(output))  # before the data are read, which may take long

    from trainwright.data.sniffing import sniff

    guess = sniff(data, arguments.encoding)
    written = shlex.quote(output if output != "-" else f"{name}.yaml")
    trainable = can_be_learned([column["type"] for column in guess.targets.values()])
    launch = f"trainwright train {written}" + ("" if trainable else " --data-only")
    text = first_recipe(guess, name, arguments.data, command=launch)
    if output == "-":
        say(text.rstrip("\n"))
        return 0
    write_new(Path(output), text)
    for note in guess.notes:
        say(note)
    say(f"recipe     {output}")
    check = "check" if trainable else "data check"
    say(f"next\n  trainwright {check} {written}\n  {launch}")
    return 0
