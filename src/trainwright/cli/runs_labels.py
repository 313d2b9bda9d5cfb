"""What people say of runs: `runs tag` and `runs note`."""

from __future__ import annotations

import argparse
from typing import Any

from trainwright.cli.common import say, say_json, table


def add_arguments(actions: Any) -> list[argparse.ArgumentParser]:
    """The two actions."""
    tag = actions.add_parser("tag", help="put tags on runs, or take them off", allow_abbrev=False)
    tag.add_argument("patterns", metavar="RUN", nargs="+", help="path, id, name, salt or glob")
    tag.add_argument("--add", metavar="TAGS", default="", help="tags, by comma")
    tag.add_argument("--remove", metavar="TAGS", default="", help="tags, by comma")
    note = actions.add_parser("note", help="write a note to a run, or show it", allow_abbrev=False)
    note.add_argument("patterns", metavar="RUN", nargs=1, help="path, id, name or salt")
    note.add_argument("text", metavar="TEXT", nargs="?", help="the new note; empty removes it")
    return [tag, note]


def label(arguments: argparse.Namespace) -> None:
    """Changes the labels of the runs, and shows what they are then."""
    from trainwright.runs.labels import change_labels
    from trainwright.runs.listing import chosen_runs

    add, remove = (
        [tag for tag in getattr(arguments, name, "").split(",") if tag] for name in ("add", "remove")
    )
    note = getattr(arguments, "text", None)
    runs = chosen_runs(arguments.patterns, arguments.runs_dir)
    found = [(run.id, change_labels(run, add, remove, note)) for run in runs]
    if arguments.json:
        say_json([{"run": id, "tags": list(labels.tags), "note": labels.note} for id, labels in found])
    else:
        say(table(["run", "tags", "note"], [[id, ", ".join(of.tags), of.note] for id, of in found]))
