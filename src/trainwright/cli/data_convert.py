"""`trainwright data convert`: the same pictures and annotations in another format."""

from __future__ import annotations

import argparse
from typing import Any

from trainwright.cli.common import say, say_json
from trainwright.errors import UserError
from trainwright.wording import counted

_FORMATS = ("coco", "voc", "yolo", "folder", "table")
_SHOWN = 5


def add_action(actions: Any) -> None:
    """The action and its arguments."""
    convert = actions.add_parser("convert", help="write data in another format", allow_abbrev=False)
    convert.add_argument("source", metavar="RECIPE|PATH", help="recipe, or folder or file without one")
    convert.add_argument("destination", metavar="DIR", help="a folder that does not exist yet")
    convert.add_argument("--to", choices=_FORMATS, required=True, help="the format to write")
    convert.add_argument("--json", action="store_true", help="machine output")


def run(arguments: argparse.Namespace) -> int:
    """Writes the new folder, and says what it holds and what was lost."""
    from trainwright.workflows.converting import convert

    if arguments.overrides:
        raise UserError("`data convert` takes no overrides", where=arguments.overrides[0].split("=")[0])
    done = convert(arguments.source, arguments.destination, arguments.to)
    if arguments.json:
        say_json(
            {
                "path": str(done.path),
                "pictures": done.pictures,
                "objects": done.objects,
                "splits": done.splits,
                "lost": done.lost,
                "faults": [list(fault) for fault in done.faults],
                "aside": done.aside,
            }
        )
        return 0
    splits = ", ".join(f"{name} {count:,}" for name, count in done.splits.items())
    say(
        f"written    {done.path}: {counted(done.pictures, 'picture')}, {counted(done.objects, 'object')}"
        + (f", {splits}" if splits else "")
    )
    for what, count in done.lost.items():
        say(f"lost       {count:,} {what} are not in what was written as {arguments.to}")
    for name in done.aside:
        say(f"aside      {name}: not converted")
    for name, reason in done.faults[:_SHOWN]:
        say(f"faulty     {name}: {reason}")
    if len(done.faults) > _SHOWN:
        say(f"           and {len(done.faults) - _SHOWN:,} more faulty records of the source")
    if not (done.lost or done.faults or done.aside):
        say("nothing was lost")
    return 0
