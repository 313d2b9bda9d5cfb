"""Archived runs: out of every list, packed with a digest of each file, and brought back bit for bit.

    runs/archive/<id>.tar.gz   the run's directory
    runs/archive/<id>.json     written last: what is in it, and what a table of runs shows of it

While both the directory and its archive are there (a kill in between), the directory counts.
"""

from __future__ import annotations

import fnmatch
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, make_directory, sync_directory, write_json
from trainwright.runs.difference import flatten, resolved_values
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import RunRow, is_named, row
from trainwright.runs.packing import Item, contents, differing, pack, unpack
from trainwright.runs.removing import (
    MANIFEST,
    PACK,
    RESTORING,
    folder_of,
    refuse_outside,
    remove,
    remove_archived,
)
from trainwright.runs.selecting import Known, Query, refuse_unknown

_FORMAT = 1
# A process that is gone had it; who works on the run holds it anew.
_LEFT_OUT = ("lock", "lock.breaking")


@dataclass(frozen=True)
class ArchivedRun:
    """A run in the archive.

    Attributes:
        id: Its id.
        file: The packed directory.
        row: What the table of runs showed of it last.
        recipe: Leaves of its resolved recipe by key path.
        parents: Runs that it starts from, as its record has them.
        archived: Seconds since the epoch.
        items: What its directory held, by relative name.
    """

    id: str
    file: Path
    row: RunRow
    recipe: dict[str, Any]
    parents: list[dict[str, Any]]
    archived: float
    items: dict[str, Item]

    @property
    def manifest(self) -> Path:
        """The file that makes the archive count."""
        return _manifest(self.file.parent, self.id)


def archive(run: RunDirectory, runs_dir: str | os.PathLike[str]) -> ArchivedRun:
    """Packs a run, reads the pack back, and removes the directory. Call it within `alone`.

    Raises:
        LockHeld: A process works on the run.
        RunError: It lies elsewhere, is damaged, or another run of its id is archived.
        StorageError: The archive cannot be written, or the directory not be removed.
    """
    refuse_outside(run, runs_dir)
    folder = folder_of(runs_dir)
    make_directory(folder)
    shown = row(run)  # before this process is the one that works on it
    with run.acquire():
        known = find_archived_id(run.id, runs_dir)
        if known is None:
            known = _packed(run, folder, shown)
        elif unlike := differing(known.items, contents(run.path, without=_LEFT_OUT)):
            raise RunError(
                "another run of this id is archived",
                where=str(known.file),
                why=f"{unlike} differs",
                fix="rename this directory, and both are kept; then "
                f"`trainwright runs purge --archived {run.id}` would delete the other one",
            )
        remove(run, runs_dir)
    return known


def restore(archived: ArchivedRun, runs_dir: str | os.PathLike[str]) -> RunDirectory:
    """Brings a run back, every file checked against its digest. Call it within `alone`.

    Raises:
        RunError: The archive is damaged, or there is another run of this id. Nothing is changed then.
        StorageError: The directory cannot be written.
    """
    target = RunDirectory(Path(runs_dir) / archived.id)
    if target.path.exists() or target.path.is_symlink():
        refuse_outside(target, runs_dir)
        if unlike := differing(archived.items, contents(target.path, without=_LEFT_OUT)):
            raise RunError(
                "there is another run of this id",
                where=str(target.path),
                why=f"{unlike} differs from the archived one",
                fix="rename that directory first",
            )
    else:
        try:
            with tempfile.TemporaryDirectory(prefix=RESTORING, dir=runs_dir) as folder:
                made = Path(folder) / archived.id
                made.mkdir()
                unpack(archived.file, made, archived.items)
                made.rename(target.path)
                sync_directory(runs_dir)
        except OSError as error:
            raise StorageError(target.path, error) from error
    forget(archived)
    return target


def forget(archived: ArchivedRun) -> None:
    """Deletes a run's archive. Call it within `alone`. Raises StorageError."""
    remove_archived(archived.manifest, archived.file)


def archived_runs(runs_dir: str | os.PathLike[str], *, left: bool = False) -> list[ArchivedRun]:
    """Every archived run whose directory is not there, oldest first.

    Args:
        runs_dir: Where runs live.
        left: Also those whose directory is there: a kill left both.

    Raises:
        RunError: An archive is damaged.
    """
    found = [
        _read(path)
        for path in folder_of(runs_dir).glob(f"*{MANIFEST}")
        if not path.name.startswith(".") and (left or not (Path(runs_dir) / path.stem / "run.json").exists())
    ]
    return sorted(found, key=lambda item: (item.row.created, item.id))


def find_archived(
    patterns: Sequence[str], runs_dir: str | os.PathLike[str], *, left: bool = False
) -> list[ArchivedRun]:
    """Archived runs by glob, id, name or salt, each once; all of them without patterns.

    Args:
        patterns: What the user wrote.
        runs_dir: Where runs live.
        left: See `archived_runs`.

    Raises:
        RunError: A pattern fits none.
    """
    there = archived_runs(runs_dir, left=left)
    if not patterns:
        return there
    found: dict[str, ArchivedRun] = {}
    for pattern in patterns:
        fitting = [item for item in there if item.id == pattern] or [
            item for item in there if is_named(item.id, pattern) or fnmatch.fnmatchcase(item.id, pattern)
        ]
        if not fitting:
            raise RunError(
                f"no archived run matches {pattern!r}",
                where=str(folder_of(runs_dir)),
                fix="`trainwright runs list --archived` shows all of them",
            )
        found.update({item.id: item for item in fitting})
    return list(found.values())


def find_archived_id(id: str, runs_dir: str | os.PathLike[str]) -> ArchivedRun | None:
    """The archive of a run with this id, whether its directory is there or not."""
    path = _manifest(folder_of(runs_dir), id)
    return _read(path) if path.is_file() else None


def query_archived(found: Sequence[ArchivedRun], query: Query) -> list[Known]:
    """Archived runs that fit a query, in order. Raises UserError for a key that none has."""
    known = [Known(item.row, item.recipe) for item in found]
    has = {key for run in known for key in (*vars(run.row), *run.row.metrics)}
    unknown = [key for key in query.keys if key not in has]
    recipes = [run.recipe for run in known]
    refuse_unknown(unknown, recipes, bool(known), lambda: [*has, *(key for item in recipes for key in item)])
    return query.choose(known, lambda run, key: run[key])


def _packed(run: RunDirectory, folder: Path, shown: RunRow) -> ArchivedRun:
    record = run.record()
    recipe = dict(flatten(resolved_values(run)))
    file = folder / f"{run.id}{PACK}"
    items = pack(run.path, file, without=_LEFT_OUT)
    made = ArchivedRun(run.id, file, shown, recipe, list(record.parents), time.time(), items)
    value = asdict(made) | {"format": _FORMAT, "file": file.name}
    write_json(made.manifest, value)
    return made


def _manifest(folder: Path, id: str) -> Path:
    return folder / f"{id}{MANIFEST}"


def _read(path: Path) -> ArchivedRun:
    try:
        value = json.loads(path.read_bytes())
        if value["format"] > _FORMAT:
            raise ValueError(f"written by a newer version (layout {value['format']})")
        if value["id"] != path.stem:
            raise ValueError(f"it is of {value['id']}")
        names = {item.name for item in fields(RunRow)}
        shown = {key: item for key, item in value["row"].items() if key in names}
        file = path.with_name(f"{path.stem}{PACK}")
        return ArchivedRun(
            id=path.stem,
            file=file,
            row=RunRow(**{**shown, "path": str(file)}),
            recipe=dict(value["recipe"]),
            parents=list(value["parents"]),
            archived=float(value["archived"]),
            items={name: Item(**item) for name, item in value["items"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            "an archived run's list of contents cannot be read",
            where=str(path),
            why=str(error),
            fix="bring the file back from a copy; the run itself is in the .tar.gz beside it",
        ) from error
