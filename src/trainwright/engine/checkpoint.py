"""Checkpoints for an exact resume: written beside each other, committed by one manifest, two kept.

A checkpoint is a directory `state/<step>/` with a tree (JSON) and its tensors (safetensors). It counts
only once its `manifest.json`, which names both files and their digests, has been renamed into place; so
a crash at any moment leaves the previous checkpoint whole, also when the same step is written again. A
checkpoint whose digests do not fit is passed over, with a notice, for the one before.
"""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from trainwright.engine.state_tree import flatten, unflatten
from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, sync_directory, write_bytes, write_json

KEPT = 2
FORMAT = 1
_MANIFEST = "manifest.json"
_KEYS = {"format", "step", "regular", "files"}


class CheckpointStore:
    """Reads and writes the checkpoints of one run.

    Args:
        folder: `state/` of the run directory.
        keep_regular: Keep the last two regular checkpoints besides, for roll-backs.
    """

    def __init__(self, folder: Path, *, keep_regular: bool = False) -> None:
        self.folder, self.keep_regular = folder, keep_regular

    def steps(self) -> list[int]:
        """Steps of all committed checkpoints, oldest first."""
        return [step for step in self._begun() if (self.folder / str(step) / _MANIFEST).exists()]

    def _begun(self) -> list[int]:
        """Steps of all checkpoints, also of those whose writing was cut short."""
        return sorted(int(path.name) for path in self.folder.glob("*") if path.name.isdigit())

    def write(
        self, step: int, structure: dict[str, Any], tensors: dict[str, Tensor], regular: bool = False
    ) -> None:
        """Commits one checkpoint, and removes all but it and the one before; see `keep_regular`.

        Args:
            step: Optimizer steps done.
            structure: What `flatten` gives.
            tensors: Likewise.
            regular: Every run of the recipe saves at this step, however often it is interrupted.

        Raises:
            RunError: The disk is full or cannot be written; earlier checkpoints are untouched.
        """
        target = self.folder / str(step)
        files: dict[str, dict[str, str]] = {}
        try:
            target.mkdir(parents=True, exist_ok=True)
            contents = {"tree.json": json.dumps(structure).encode()}
            contents["tensors.safetensors"] = save(tensors, metadata={"format": "pt"})
            for role, content in contents.items():
                digest = hashlib.sha256(content).hexdigest()
                stem, _, suffix = role.partition(".")
                # Named by their content, so that files of an earlier write of this step stay as they are.
                files[stem] = {"name": f"{stem}-{digest[:16]}.{suffix}", "sha256": digest}
                write_bytes(target / files[stem]["name"], content)
            manifest = {"format": FORMAT, "step": step, "regular": regular, "files": files}
            write_json(target / _MANIFEST, manifest)
            sync_directory(self.folder)
        except (OSError, StorageError) as error:
            self._clean(target)
            reason = error.what if isinstance(error, StorageError) else str(error)
            raise RunError(
                f"the checkpoint of step {step} could not be written: {reason}",
                where=str(target),
                why="earlier checkpoints are whole",
                fix="free some space, then resume the run",
            ) from error
        self._clean(target)
        self._remove_old(step)

    def _clean(self, target: Path) -> None:
        """Removes what the manifest does not name; everything where there is no manifest."""
        named: set[str] = set()
        with suppress(OSError, ValueError, KeyError, TypeError):
            files = json.loads((target / _MANIFEST).read_bytes())["files"]
            named = {_MANIFEST, *(item["name"] for item in files.values())}
        if not named:
            shutil.rmtree(target, ignore_errors=True)
        for path in target.glob("*") if named else ():
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _remove_old(self, step: int) -> None:
        """Keeps `step` and the one before; later ones are of a past that a fall-back has abandoned."""
        past = [s for s in self.steps() if s <= step]
        keep = set(past[-KEPT:])
        if self.keep_regular:
            keep.update([s for s in past if self.is_regular(s)][-KEPT:])
        self._remove(step for step in self._begun() if step not in keep)

    def _remove(self, steps: Iterable[int]) -> None:
        for step in steps:
            # First the manifest: what is half removed is no checkpoint.
            (self.folder / str(step) / _MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(self.folder / str(step), ignore_errors=True)

    def is_regular(self, step: int) -> bool:
        """Whether every run of the recipe saves at this step."""
        with suppress(OSError, ValueError, AttributeError):
            return bool(json.loads((self.folder / str(step) / _MANIFEST).read_bytes()).get("regular"))
        return False

    def regular_before(self, step: int, unlike: Iterable[int] = ()) -> int | None:
        """The newest regular checkpoint up to a step, none of `unlike`; else the oldest one there is."""
        regular, no = [s for s in self.steps() if self.is_regular(s)], set(unlike)
        return max((s for s in regular if s <= step and s not in no), default=min(regular, default=None))

    def forget_after(self, step: int) -> None:
        """Removes all later checkpoints: a past that is abandoned."""
        self._remove(other for other in self._begun() if other > step)
        sync_directory(self.folder)

    def read(self, step: int) -> Any:
        """The state tree of one checkpoint.

        Raises:
            RunError: A file is missing, truncated or changed.
        """
        folder = self.folder / str(step)
        try:
            manifest = json.loads((folder / _MANIFEST).read_bytes())
            if manifest["format"] != FORMAT:
                raise ValueError(f"written in format {manifest['format']}, this version reads {FORMAT}")
            if manifest["step"] != step:
                raise ValueError(f"its manifest is of step {manifest['step']}")
            if set(manifest) - _KEYS:
                raise ValueError(f"its manifest has unknown {sorted(set(manifest) - _KEYS)}")
            tree, tensors = (_verified(folder, manifest["files"][role]) for role in ("tree", "tensors"))
            return unflatten(json.loads(tree.read_bytes()), load_file(tensors))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise RunError(
                f"the checkpoint of step {step} cannot be used: {reason}", where=str(folder)
            ) from error

    def read_latest(self, notice: Callable[[str], None]) -> tuple[int, Any] | None:
        """The newest whole checkpoint as (step, tree), or None where no checkpoint was ever finished.

        Args:
            notice: Told, in words, of each checkpoint that had to be passed over.

        Raises:
            RunError: There are checkpoints, but none of them is whole.
        """
        failures, damaged = [], False
        committed = set(self.steps())
        for step in reversed(self._begun()):
            if step not in committed:
                failures.append(f"the checkpoint of step {step} was not completely written")
                continue
            try:
                tree = self.read(step)
            except RunError as error:
                failures.append(str(error))
                damaged = True
                continue
            for failure in failures:
                notice(f"{failure}; falling back to the checkpoint of step {step}")
            return step, tree
        if damaged:
            raise RunError(
                "no checkpoint of this run is whole",
                where=str(self.folder),
                why="; ".join(failures),
                fix="start again with --fresh, or from weights/best.safetensors with init.path",
            )
        for failure in failures:
            notice(f"{failure}, and there is none before it; starting from the beginning")
        return None


def _verified(folder: Path, entry: dict[str, str]) -> Path:
    """The file of a manifest's entry. Raises OSError or ValueError where it is not as it was written."""
    path = folder / entry["name"]
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
            raise ValueError(f"{path.name} is corrupt or truncated")
    return path


class CheckpointWriter:
    """Writes checkpoints on a thread of its own, one at a time, so that training goes on.

    A failure is raised on the training thread at the next `submit`, `flush` or `close`.

    Args:
        store: Where to write.
        before_commit: Makes durable whatever a resume from a checkpoint does not do again: the metrics
            logged up to its step. Called on the writer's thread.
    """

    def __init__(self, store: CheckpointStore, before_commit: Callable[[], None] = lambda: None) -> None:
        self.store, self._before_commit = store, before_commit
        self._jobs: queue.Queue[tuple[int, Any, dict[str, Tensor], bool] | None] = queue.Queue(maxsize=1)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="checkpoint-writer", daemon=True)
        self._thread.start()

    def submit(self, step: int, tree: Any, *, regular: bool = False) -> None:
        """Copies the tree now and writes it soon; waits while an earlier one is still queued."""
        self._raise()
        structure, tensors = flatten(tree)
        self._jobs.put((step, structure, tensors, regular))

    def flush(self) -> None:
        """Returns when everything submitted is on the disk."""
        self._jobs.join()
        self._raise()

    def close(self) -> None:
        """Writes what is queued and ends the thread."""
        self._jobs.put(None)
        self._thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._before_commit()
                self.store.write(*job)
            except BaseException as error:  # handed to the training thread, which raises it
                self._error = error
            finally:
                self._jobs.task_done()
        self._jobs.task_done()
