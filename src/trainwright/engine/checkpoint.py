"""Checkpoints for an exact resume: written beside each other, committed by one manifest, two kept.

A checkpoint is a directory `state/<step>/` with `tree.json` and `tensors.safetensors`. It counts
only once its `manifest.json`, with the digest of both, has been renamed into place; so a crash at
any moment leaves the previous checkpoint whole. A checkpoint whose digests do not fit is passed
over, with a notice, for the one before.
"""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save
from torch import Tensor

from trainwright.engine.state_tree import flatten, unflatten
from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, write_bytes, write_json

KEPT = 2
FORMAT = 1


class CheckpointStore:
    """Reads and writes the checkpoints of one run.

    Args:
        folder: `state/` of the run directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def steps(self) -> list[int]:
        """Steps of all committed checkpoints, oldest first."""
        found = [path.parent.name for path in self.folder.glob("*/manifest.json")]
        return sorted(int(name) for name in found if name.isdigit())

    def write(self, step: int, structure: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Commits one checkpoint and removes the oldest beyond two.

        Raises:
            RunError: The disk is full or cannot be written; earlier checkpoints are untouched.
        """
        target = self.folder / str(step)
        try:
            target.mkdir(parents=True, exist_ok=True)
            files = {
                "tree.json": json.dumps(structure).encode(),
                "tensors.safetensors": save(tensors, metadata={"format": "pt"}),
            }
            if target.exists():
                # The same step again, after a fall-back: it must not look committed while it changes.
                (target / "manifest.json").unlink(missing_ok=True)
            for name, content in files.items():
                write_bytes(target / name, content)
            digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
            write_json(target / "manifest.json", {"format": FORMAT, "step": step, "sha256": digests})
        except (OSError, StorageError) as error:
            shutil.rmtree(target, ignore_errors=True)
            raise RunError(
                f"the checkpoint of step {step} could not be written: {error}",
                where=str(target),
                why="earlier checkpoints are whole",
                fix="free some space, then resume the run",
            ) from error
        self._remove_old()

    def _remove_old(self) -> None:
        committed = self.steps()
        keep = {str(step) for step in committed[-KEPT:]}
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)

    def read(self, step: int) -> Any:
        """The state tree of one checkpoint.

        Raises:
            RunError: A file is missing, truncated or changed.
        """
        folder = self.folder / str(step)
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            if manifest["format"] != FORMAT:
                raise ValueError(f"written in format {manifest['format']}, this version reads {FORMAT}")
            for name, digest in manifest["sha256"].items():
                if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                    raise ValueError(f"{name} is corrupt or truncated")
            structure = json.loads((folder / "tree.json").read_bytes())
            return unflatten(structure, load_file(folder / "tensors.safetensors"))
        except (OSError, ValueError, KeyError) as error:
            raise RunError(
                f"the checkpoint of step {step} cannot be used: {error}", where=str(folder)
            ) from error

    def read_latest(self, notice: Callable[[str], None]) -> tuple[int, Any] | None:
        """The newest whole checkpoint as (step, tree), or None where no checkpoint was ever made.

        Args:
            notice: Told, in words, of each checkpoint that had to be passed over.

        Raises:
            RunError: There are checkpoints, but none of them is whole.
        """
        steps = self.steps()
        failures = []
        for step in reversed(steps):
            try:
                tree = self.read(step)
            except RunError as error:
                failures.append(str(error))
                continue
            for failure in failures:
                notice(f"{failure}; falling back to the checkpoint of step {step}")
            return step, tree
        if failures:
            raise RunError(
                "no checkpoint of this run is whole",
                where=str(self.folder),
                why="; ".join(failures),
                fix="start again with --fresh, or from weights/best.safetensors with init.path",
            )
        return None


class CheckpointWriter:
    """Writes checkpoints on a thread of its own, one at a time, so that training goes on.

    A failure is raised on the training thread at the next `submit` or at `close`.

    Args:
        store: Where to write.
        before_commit: Makes durable whatever a resume from a checkpoint does not do again: the metrics
            logged up to its step. Called on the writer's thread.
    """

    def __init__(self, store: CheckpointStore, before_commit: Callable[[], None] = lambda: None) -> None:
        self.store, self._before_commit = store, before_commit
        self._jobs: queue.Queue[tuple[int, Any, dict[str, Tensor]] | None] = queue.Queue(maxsize=1)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="checkpoint-writer", daemon=True)
        self._thread.start()

    def submit(self, step: int, tree: Any) -> None:
        """Copies the tree now and writes it soon; waits while an earlier one is still queued."""
        self._raise()
        structure, tensors = flatten(tree)
        self._jobs.put((step, structure, tensors))

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
