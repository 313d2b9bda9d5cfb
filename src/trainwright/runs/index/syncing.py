"""Bringing the index up to what the run directories hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from trainwright.errors import RunError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.following import fits, read_batch
from trainwright.runs.index.database import Database, IndexUnavailable
from trainwright.runs.index.facts import read_facts, signature
from trainwright.runs.index.place import FILE, FILE_SCHEME, SERVERS
from trainwright.runs.index.runs_table import Entry, RunIndex

_FOLDER = ".folder-id"
_TOGETHER = 100  # runs in one transaction: another process waits no longer than that


def open_index(place: str, runs_dir: str | os.PathLike[str], *, patience: float = 60.0) -> RunIndex:
    """The index of a runs folder at a place, made where it is missing.

    Raises:
        IndexUnavailable: It cannot be opened, or the folder is gone or cannot be written to.
    """
    folder = _folder_id(Path(runs_dir))
    database = Database(place, patience=patience)
    try:
        return RunIndex(database, folder, os.fspath(Path(runs_dir)))
    except BaseException:
        database.close()
        raise


def is_runs_folder(runs_dir: str | os.PathLike[str]) -> bool:
    """Whether there is a run in the folder, or an index has been kept of it; else none is made there."""
    base = Path(runs_dir)
    return (base / _FOLDER).exists() or (base.is_dir() and any(base.glob("*/run.json")))


def changed_runs(entries: dict[str, Entry], runs_dir: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Ids of runs that the index does not know as they are, and of runs that are gone."""
    base = os.fspath(Path(runs_dir))
    there: set[str] = set()
    stale = []
    with os.scandir(base) as names:
        for item in names:
            id = item.name
            entry = entries.get(id)
            if entry is None:
                if signature(f"{base}/{id}", ("run.json",)) != "-":
                    stale.append(id)
                continue
            now = signature(f"{base}/{id}", entry.files.split("\n"))
            if now == entry.signature:
                there.add(id)
            elif not now.startswith("-"):  # no run: `run.json` is the first of those that are watched
                there.add(id)
                stale.append(id)
    return stale, [id for id in entries if id not in there]


def sync(
    index: RunIndex, entries: dict[str, Entry], told: Callable[[int, int], None] = lambda _done, _all: None
) -> bool:
    """Reads anew what has changed in the folder since the index last looked.

    Args:
        index: To be written.
        entries: What it knows.
        told: Called with the number of runs that were read, and of those to be read.

    Returns:
        Whether anything was written.
    """
    stale, gone = changed_runs(entries, index.path)
    for start in range(0, len(stale), _TOGETHER):
        told(start, len(stale))
        update(index, stale[start : start + _TOGETHER])
    if gone:
        index.remove(gone)
    return bool(stale or gone)


def update(index: RunIndex, ids: Sequence[str]) -> None:
    """Reads these runs anew: what their files say, and what their spools hold that was not read yet."""
    runs = [RunDirectory(Path(index.path) / id) for id in ids]
    facts = [read_facts(run) for run in runs]
    numbers = index.put(facts)
    for run, item in zip(runs, facts, strict=True):
        catch_up(index, numbers[run.id], run, item.resumed_from)


def catch_up(index: RunIndex, number: int, run: RunDirectory, resumed_from: dict[int, int]) -> None:
    """Reads a run's spool from where it was left."""
    mark = index.mark(number)
    if not fits(run.metrics_file, mark):
        index.forget_metrics(number)
        mark = index.mark(number)
    while True:
        records, behind = read_batch(run.metrics_file, mark)
        if behind == mark:
            return
        index.take(number, records, behind, resumed_from)
        mark = behind


def rebuild(
    place: str, runs_dir: str | os.PathLike[str], told: Callable[[int, int], None] = lambda _done, _all: None
) -> int:
    """Makes the index of a folder anew from its run directories; the number of runs.

    Raises:
        IndexUnavailable: It cannot be written.
    """
    try:
        index = open_index(place, runs_dir)
        index.remove(index.entries())
        index.close()
    except IndexUnavailable:
        if place.startswith(SERVERS):
            raise
        _remove_file(Path(place.removeprefix(FILE_SCHEME)), ours=Path(runs_dir) / FILE)
    return bring_up_to_date(place, runs_dir, told)


def bring_up_to_date(
    place: str, runs_dir: str | os.PathLike[str], told: Callable[[int, int], None] = lambda _done, _all: None
) -> int:
    """Reads what has changed in the folder, spools of runs at work included; the number of runs.

    Raises:
        IndexUnavailable: The index cannot be written.
    """
    index = open_index(place, runs_dir)
    try:
        entries = index.entries()
        sync(index, entries, told)
        update(index, [id for id, entry in entries.items() if entry.live])
        return len(index.entries())
    finally:
        index.close()


def _remove_file(path: Path, ours: Path) -> None:
    """Removes a damaged index; `ours` has a name that only we give. Raises RunError where it is none."""
    if not path.exists():
        return
    if not path.is_file() or (path != ours and not _begins_as_a_database(path)):
        raise RunError(
            "this is no index of runs",
            where=str(path),
            fix="give another place with --index, or delete it yourself if it is of no use",
        )
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _begins_as_a_database(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    return not head or head.startswith(b"SQLite format 3")


def _folder_id(folder: Path) -> str:
    """What tells this folder from others in one database, wherever it is mounted or moved to."""
    file = folder / _FOLDER
    try:
        return file.read_text().strip() or _made_id(file)
    except FileNotFoundError:
        return _made_id(file)
    except OSError as error:
        raise IndexUnavailable("the runs folder cannot be read", where=str(folder), why=str(error)) from error


def _made_id(file: Path) -> str:
    import uuid  # a tenth of the imports of `runs list`, needed once in the life of a folder

    made = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        made.write_text(f"{uuid.uuid4().hex}\n")
        try:
            os.link(made, file)  # whole or not at all, and never over one that is there
        except FileExistsError:
            pass
        finally:
            made.unlink()
        return file.read_text().strip()
    except OSError as error:
        raise IndexUnavailable(
            "the index of runs needs a folder that can be written to", where=str(file.parent), why=str(error)
        ) from error
