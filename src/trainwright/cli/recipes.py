"""The recipes that ship: list them, show one, copy one to start from."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from trainwright.cli.common import say, say_json, table
from trainwright.errors import RecipeError, closest

SHIPPED = Path(__file__).resolve().parent.parent / "recipes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list` (also when nothing is said), `show` and `copy`."""
    parser.add_argument("--json", action="store_true", help="machine output of the list")
    actions = parser.add_subparsers(dest="action", metavar="list|show|copy")
    actions.add_parser("list", help="names and descriptions", allow_abbrev=False)
    show = actions.add_parser("show", help="print a recipe", allow_abbrev=False)
    show.add_argument("name", metavar="NAME")
    copy = actions.add_parser("copy", help="copy a recipe to change it", allow_abbrev=False)
    copy.add_argument("name", metavar="NAME")
    copy.add_argument("destination", metavar="FILE", nargs="?", help="[NAME.yaml]")


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the three actions."""
    if arguments.action == "show":
        say(shipped(arguments.name).read_text().rstrip("\n"))
    elif arguments.action == "copy":
        _copy(arguments.name, arguments.destination)
    elif arguments.json:
        say_json(descriptions())
    else:
        say(table(["recipe", "what it does"], descriptions().items()))
    return 0


def shipped(name: str) -> Path:
    """File of a shipped recipe. Raises RecipeError with the closest name."""
    path = SHIPPED / f"{name}.yaml"
    if not path.is_file():
        known = [item.stem for item in SHIPPED.glob("*.yaml")]
        near = closest(name, known)
        raise RecipeError(
            f"no recipe {name!r} ships",
            fix=f"did you mean {near}?" if near else "`trainwright recipes list` shows all of them",
        )
    return path


def descriptions() -> dict[str, str]:
    """Name -> description of every shipped recipe."""
    return {path.stem: _description(path) for path in sorted(SHIPPED.glob("*.yaml"))}


def _description(path: Path) -> str:
    # One line of each file; parsing YAML would cost the list more than all else.
    for line in path.read_text().splitlines():
        if line.startswith("description:"):
            return line.partition(":")[2].strip().strip("\"'")
    return ""


def _copy(name: str, destination: str | None) -> None:
    source = shipped(name)
    target = Path(destination or f"{name}.yaml")
    if target.is_dir():
        target /= f"{name}.yaml"
    if target.exists():
        raise RecipeError("the file exists", where=str(target), fix="give another name")
    shutil.copyfile(source, target)
    say(f"{target}\ntrain it with  trainwright train {target}")
