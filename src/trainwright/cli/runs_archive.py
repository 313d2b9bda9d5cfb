"""Runs out of the way and back, or gone for good: `runs archive`, `runs restore` and `runs purge`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainwright.cli.common import say, say_json, table, tell
from trainwright.cli.parsing import UsageError

if TYPE_CHECKING:
    from trainwright.runs.archive import ArchivedRun
    from trainwright.runs.directory import RunDirectory


def add_arguments(actions: Any) -> list[argparse.ArgumentParser]:
    """The three actions."""
    packing = actions.add_parser(
        "archive", help="pack runs, out of the lists; `list --archived` shows them", allow_abbrev=False
    )
    packing.add_argument("patterns", metavar="RUN", nargs="+", help="path, id, name, salt or glob")
    bringing = actions.add_parser("restore", help="bring archived runs back, bit for bit", allow_abbrev=False)
    bringing.add_argument("patterns", metavar="RUN", nargs="+", help="id, name, salt or glob")
    purging = actions.add_parser("purge", help="delete runs for good", allow_abbrev=False)
    purging.add_argument("patterns", metavar="RUN", nargs="+", help="path, id, name, salt or glob")
    purging.add_argument("--archived", action="store_true", help="of the archive")
    purging.add_argument("--yes", action="store_true", help="do not ask")
    purging.add_argument(
        "--force", action="store_true", help="also what other runs, studies or pipelines need"
    )
    return [packing, bringing, purging]


def archive_runs(arguments: argparse.Namespace) -> None:
    """Archives runs and says where they are."""
    from trainwright.runs.archive import archive
    from trainwright.runs.listing import chosen_runs
    from trainwright.runs.removing import alone

    runs = chosen_runs(arguments.patterns, arguments.runs_dir)
    _refuse_alive(runs)
    with alone(arguments.runs_dir):
        found = [archive(run, arguments.runs_dir) for run in runs]
    if arguments.json:
        say_json([_as_json(item) for item in found])
        return
    sizes = [
        [item.id, _size(_bytes(item)), _size(item.file.stat().st_size), str(item.file)] for item in found
    ]
    say(table(["run", "was", "is", "archive"], sizes))


def restore_runs(arguments: argparse.Namespace) -> None:
    """Restores runs and says where they are."""
    from trainwright.runs.archive import find_archived, restore
    from trainwright.runs.removing import alone

    with alone(arguments.runs_dir):
        items = find_archived(arguments.patterns, arguments.runs_dir, left=True)
        found = [restore(item, arguments.runs_dir) for item in items]
    if arguments.json:
        say_json([{"run": run.id, "path": str(run.path)} for run in found])
        return
    for run in found:
        say(f"run         {run.path}")


def purge_runs(arguments: argparse.Namespace) -> None:
    """Deletes runs, after a question."""
    from trainwright.runs.archive import find_archived, forget
    from trainwright.runs.listing import chosen_runs
    from trainwright.runs.removing import alone, refuse_outside, remove

    if arguments.archived:
        packed = find_archived(arguments.patterns, arguments.runs_dir)
        _confirm(arguments, [item.id for item in packed])
        with alone(arguments.runs_dir):
            for item in packed:
                forget(item)
        _say_purged(arguments, [item.id for item in packed])
        return
    runs = chosen_runs(arguments.patterns, arguments.runs_dir)
    for run in runs:
        refuse_outside(run, arguments.runs_dir)
    _refuse_alive(runs)
    _confirm(arguments, [run.id for run in runs])
    with alone(arguments.runs_dir):
        for run in runs:
            with run.acquire():
                remove(run, arguments.runs_dir)
    _say_purged(arguments, [run.id for run in runs])


def _refuse_alive(runs: Sequence[RunDirectory]) -> None:
    from trainwright.runs.lock import LockHeld

    for run in runs:
        if (owner := run.owner()) is not None:
            raise LockHeld(run.lock_file, owner)


def _confirm(arguments: argparse.Namespace, ids: Sequence[str]) -> None:
    """Refuses runs that are needed, and asks. Raises UsageError where nobody agrees."""
    from trainwright.workflows.purging import needed_by

    pipelines = os.environ.get("TRAINWRIGHT_PIPELINES", "pipelines")  # as of `trainwright pipeline`
    needed = {} if arguments.force else needed_by(ids, arguments.runs_dir, pipelines)
    if needed:
        told = [f"{id}: {', '.join(reasons)}" for id, reasons in needed.items()]
        raise UsageError(
            f"{len(needed)} of {len(ids)} runs are needed" if len(ids) > 1 else "the run is needed",
            why="\n       ".join(told),
            fix="purge what needs them too, archive them instead, or --force",
        )
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{_counted(ids)} would be deleted for good", why=", ".join(ids), fix="say --yes")
    tell("\n".join(ids))
    sys.stderr.write(f"delete {_counted(ids)} for good? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was deleted")


def _say_purged(arguments: argparse.Namespace, ids: Sequence[str]) -> None:
    if arguments.json:
        say_json({"purged": list(ids)})
    else:
        say(f"{_counted(ids)} deleted: {', '.join(ids)}")


def _counted(ids: Sequence[str]) -> str:
    return "1 run" if len(ids) == 1 else f"{len(ids)} runs"


def _as_json(item: ArchivedRun) -> dict[str, Any]:
    return {
        "run": item.id,
        "archive": str(item.file),
        "bytes": _bytes(item),
        "packed": item.file.stat().st_size,
    }


def _bytes(item: ArchivedRun) -> int:
    return sum(entry.size for entry in item.items.values())


def _size(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
