"""Where a stage with its salt keeps what it made: whole and checked, or not there.

    pipelines/<pipeline>/<stage>-<salt>/
      output/          what the stage made; absent where that is a run
      manifest.json    written last: digests of the output, and of what it was made from
      run.json, recipe.yaml, recipe.resolved.yaml, metrics.jsonl, heartbeat.json, log.txt, lock
                       as of a run: what follows runs follows stages
      scratch/         until the stage is done: what an interrupted one goes on from

The stage writes into `unfinished-*`, which is renamed; only the manifest makes it count. Each attempt has a
folder of its own, so that a program that outlives its attempt writes into nothing that counts.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainwright.errors import RunError, StorageError, TrainwrightError
from trainwright.recipe.writing import emit
from trainwright.runs.atomic import make_directory, remove_leftovers, sync_directory, write_json, write_text
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunRecord
from trainwright.workflows.pipeline.content import digest_of, file_digests, files_in, run_digest

_UNFINISHED = "unfinished-"
_FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a stage made.

    Attributes:
        digest: Of the whole output.
        files: SHA-256 of every file of `output`.
        run: The run that is the output, relative to the stage's directory; None where files are.
        inputs: Stage -> digest of its output, of those whose outputs were read.
        seconds: That the last attempt took.
        format: Version of this file's layout.
    """

    digest: str
    files: dict[str, str] = field(default_factory=dict)
    run: str | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    format: int = _FORMAT


class StageDirectory:
    """The directory of one stage under one salt. Makes and reads nothing until asked.

    Args:
        path: The directory.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.run = RunDirectory(self.path)
        self.output = self.path / "output"
        self.scratch = self.path / "scratch"
        self.manifest_file = self.path / "manifest.json"

    def create(self, record: RunRecord, spec: Mapping[str, Any]) -> None:
        """Makes the directory; hold the lock first. The record comes last. Raises StorageError."""
        make_directory(self.path)
        remove_leftovers(self.path)
        write_text(self.run.recipe, emit(spec))
        write_text(self.run.resolved, emit(spec))
        self.run.save(record)

    def manifest(self) -> Manifest | None:
        """What was made here, None where nothing was, or its manifest is damaged."""
        try:
            value = json.loads(self.manifest_file.read_bytes())
            known = {name: value[name] for name in Manifest.__dataclass_fields__ if name in value}
            found = Manifest(**known)
        except (OSError, ValueError, TypeError):
            return None
        return found if found.format == _FORMAT else None

    def result(self, manifest: Manifest) -> Path:
        """The output: a folder of files, or a run."""
        return self.output if manifest.run is None else self.path / manifest.run

    def fault(self, manifest: Manifest) -> str:
        """Why what was made does not count any more, in words; empty where it is as it was."""
        try:
            if manifest.run is not None:
                place = Path(os.path.normpath(self.path / manifest.run))
                if not (place / "run.json").is_file():
                    return f"its run {place} is gone"
                return "" if run_digest(place) == manifest.digest else f"its run {place} has changed"
            found = file_digests(self.output)
        except TrainwrightError as error:
            return f"its output cannot be read: {error.what}"
        if found == manifest.files:
            return ""
        both = {**manifest.files, **found}
        name = next(name for name in sorted(both) if found.get(name) != manifest.files.get(name))
        how = "is gone" if name not in found else "is new" if name not in manifest.files else "has changed"
        return f"{name} of its output {how}"

    def begin(self) -> Path:
        """Clears away what earlier attempts left; gives a new folder to write into. Raises StorageError."""
        try:
            self.manifest_file.unlink(missing_ok=True)
            for left in self.path.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(left, ignore_errors=True)
            number = 1
            while (folder := self.path / f"{_UNFINISHED}{os.getpid()}-{number}").exists():
                number += 1
            folder.mkdir()
        except OSError as error:
            raise StorageError(self.path, error) from error
        make_directory(self.scratch)
        return folder

    def commit(self, folder: Path, run: Path | None, inputs: Mapping[str, str], seconds: float) -> Manifest:
        """Makes what a stage wrote its output.

        Args:
            folder: What `begin` gave.
            run: The run that is the output instead.
            inputs: Stage -> digest of the output that was read.
            seconds: That it took.

        Raises:
            StorageError: A file cannot be synced, or the folder not be renamed.
            RunError: The run has no weights.
        """
        try:
            if run is not None:
                shutil.rmtree(folder, ignore_errors=True)
                place = os.path.relpath(run.absolute(), self.path.absolute())
                manifest = Manifest(run_digest(run), {}, place, dict(inputs), seconds)
            else:
                _refuse_links_outside(folder)
                _sync(folder)
                shutil.rmtree(self.output, ignore_errors=True)
                folder.rename(self.output)
                sync_directory(self.path)
                files = file_digests(self.output)
                manifest = Manifest(digest_of(files), files, None, dict(inputs), seconds)
        except OSError as error:
            raise StorageError(self.path, error) from error
        write_json(self.manifest_file, asdict(manifest))
        shutil.rmtree(self.scratch, ignore_errors=True)
        return manifest


def _refuse_links_outside(folder: Path) -> None:
    """What a link leads to outside of the output is not kept with it."""
    inside = folder.resolve()
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(place, name)
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise RunError(
                    f"the stage made a link to {path.resolve()}, which is no part of its output",
                    where=str(path.relative_to(folder)),
                    fix="copy the file, or name it as an input",
                )


def _sync(folder: Path) -> None:
    for path in files_in(folder):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    for place, _, _ in os.walk(folder):
        sync_directory(place)
