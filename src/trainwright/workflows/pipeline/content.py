"""Digests of what stages read and make: files, folders and runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from trainwright.data.fingerprint import content_digests
from trainwright.errors import RunError
from trainwright.locations import cache_dir
from trainwright.recipe.salt import weights_digest
from trainwright.runs.directory import RunDirectory

_EMPTY = hashlib.sha256().hexdigest()


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder, sorted; of links to folders what they lead to, once."""
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()  # a link to a folder above would be followed for ever
            continue
        seen.add(real)
        found += [Path(place, name) for name in names]
    return sorted(path for path in found if path.is_file())


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder, by its path in there; what did not change is not read again.

    Raises:
        DataError: A file cannot be read.
    """
    files = files_in(folder)
    if not files:
        return {}
    # A file of the folder itself keeps the common path of all at the folder.
    digests = content_digests(files, cache_dir())
    common = Path(os.path.commonpath([files[0], files[-1]]))
    common = common.parent if common.is_file() else common
    return {str((common / name).relative_to(folder)): digest for name, digest in digests.items()}


def digest_of(digests: dict[str, str]) -> str:
    """One digest for files with their digests."""
    whole = hashlib.sha256()
    for name in sorted(digests):
        whole.update(f"{name}\0{digests[name]}\n".encode())
    return whole.hexdigest()


def place_digest(place: Path) -> str:
    """Digest of a file, of all files in a folder, or of a run; wherever it lies.

    Raises:
        DataError: A file cannot be read. RunError: A run has no weights.
    """
    if (place / "run.json").is_file() and (place / "weights").is_dir():
        return run_digest(place)
    if place.is_dir():
        return digest_of(file_digests(place))
    [digest] = content_digests([place], cache_dir()).values()
    return digest


def run_digest(place: Path) -> str:
    """Digest of a run: what made it, and its best weights. Raises RunError where it has none."""
    run = RunDirectory.open(place)
    if not run.best.exists():
        raise RunError("the run has no weights yet", where=str(place), fix=f"trainwright resume {place}")
    return hashlib.sha256(f"{run.record().digest} {weights_digest(str(place))}".encode()).hexdigest()
