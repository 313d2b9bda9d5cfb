"""Removing runs: a kill at any moment leaves one whole or gone, and nothing outside the folder is touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, make_directory, sync_directory
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import ARCHIVE
from trainwright.runs.lock import LockHeld, RunLock

_REMOVING, RESTORING = ".removing-", ".restoring-"
MANIFEST, PACK = ".json", ".tar.gz"


def folder_of(runs_dir: str | os.PathLike[str]) -> Path:
    """Where archived runs of a runs folder lie."""
    return Path(runs_dir) / ARCHIVE


@contextmanager
def alone(runs_dir: str | os.PathLike[str]) -> Iterator[None]:
    """Keeps others from archiving, restoring and purging here; what a kill left of that is removed first.

    Raises:
        RunError: Somebody does.
        StorageError: The folder cannot be written.
    """
    make_directory(folder_of(runs_dir))
    lock = RunLock(folder_of(runs_dir) / "lock")
    try:
        lock.acquire()
    except LockHeld as error:
        who = f"process {error.owner.pid} on {error.owner.host}" if error.owner else "another process"
        raise RunError(
            f"{who} is archiving, restoring or purging runs here",
            where=os.fspath(runs_dir),
            fix="wait for it",
        ) from error
    with lock:
        _finish_removing(Path(runs_dir))
        yield


def _finish_removing(runs_dir: Path) -> None:
    """Removes what a kill left of removing and restoring."""
    for path in list(runs_dir.iterdir()):
        if path.name.startswith((_REMOVING, RESTORING)) and not path.is_symlink():
            for manifest in path.glob(f"*{MANIFEST}"):
                pack = folder_of(runs_dir) / f"{manifest.stem}{PACK}"
                if not pack.with_name(manifest.name).exists():
                    pack.unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)


def refuse_outside(run: RunDirectory, runs_dir: str | os.PathLike[str]) -> None:
    """Raises RunError where a run is not a directory right inside the runs folder, or is a link."""
    place = run.path.absolute()
    if (
        place.is_symlink()
        or place.parent.resolve() != Path(runs_dir).resolve()
        or place.name in ("", ".", "..")
    ):
        raise RunError(
            "this run is no directory of the runs folder",
            where=str(run.path),
            why=f"only what lies in {os.fspath(runs_dir)} itself is moved or removed",
            fix="name its folder with --runs-dir",
        )


def remove(run: RunDirectory, runs_dir: str | os.PathLike[str]) -> None:
    """Removes a run: gone from the folder at once, its files after that. Links in it are not followed.

    Raises:
        RunError: It lies outside the folder.
        StorageError: It cannot be removed; what is left of it is tried again by whoever calls `alone` next.
    """
    refuse_outside(run, runs_dir)
    try:
        place = Path(tempfile.mkdtemp(prefix=_REMOVING, dir=runs_dir))
        run.path.rename(place / run.id)
        sync_directory(runs_dir)
        shutil.rmtree(place)
    except OSError as error:
        raise StorageError(run.path, error) from error


def remove_archived(manifest: Path, pack: Path) -> None:
    """Removes an archived run: it counts no more at once, its pack goes after that.

    The list of contents is moved away before the pack is deleted, so that whoever calls `alone` after a kill
    knows that the pack was to go; one that lies there for another reason is left alone.

    Raises:
        StorageError: It cannot be removed; the rest is tried again by whoever calls `alone` next.
    """
    folder = pack.parent
    try:
        place = Path(tempfile.mkdtemp(prefix=_REMOVING, dir=folder.parent))
        if manifest.exists():
            manifest.rename(place / manifest.name)
            sync_directory(folder)
        pack.unlink(missing_ok=True)
        shutil.rmtree(place)
    except OSError as error:
        raise StorageError(pack, error) from error
