"""A disk that fills up while a run is at work: a clear error, a whole checkpoint, and the same bits later."""

from __future__ import annotations

import copy
import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_processes import Parent, checkpoints, only_run, poll

from trainwright.engine.checkpoint import CheckpointStore
from trainwright.errors import TrainwrightError
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.training import train

RECIPE: dict[str, Any] = {
    "name": "filling",
    "data": {
        "source": "digits",
        "inputs": {"image": {"type": "image"}},
        "targets": {"label": {"type": "category"}},
        "split": {"val": 0.05, "test": 0.85},
    },
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.2},
    "train": {
        "epochs": 3,
        "batch_size": 32,
        "checkpoint": {"every_steps": 2},
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
        "log_every": 4,
    },
    "report": {"enabled": False},
}


def results(run: RunDirectory) -> tuple[Any, ...]:
    assert run.state() == "done"
    return run.best.read_bytes(), run.last.read_bytes(), run.metrics(), run.results.read_bytes()


def assert_checkpoint_is_whole(run: RunDirectory) -> None:
    """Whatever is there can be read without falling back on anything."""
    notices: list[str] = []
    found = CheckpointStore(run.checkpoints).read_latest(notices.append)
    assert found is not None or not list(run.checkpoints.glob("*/manifest.json"))
    assert all("cannot be used" not in notice for notice in notices)


class FullDisk:
    """From the n-th write on, writing below one folder fails, as on a disk that is full."""

    CALLS = ("write", "fsync", "open", "replace", "mkdir")

    def __init__(self, patch: pytest.MonkeyPatch, after: int | None) -> None:
        self.after, self.seen = after, 0
        self._lock = threading.Lock()
        for name in self.CALLS:
            patch.setattr(os, name, self._guard(getattr(os, name), name))

    def _guard(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            reads = name == "open" and not given[1] & (os.O_WRONLY | os.O_RDWR)
            terminal = name in ("write", "fsync") and given[0] < 3
            if reads or terminal or (name == "mkdir" and Path(given[0]).is_dir()):
                return real(*given, **named)
            with self._lock:
                self.seen += 1
                full = self.after is not None and self.seen > self.after
            if full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*given, **named)

        return call


def test_full_at_any_write_ends_in_words_and_the_run_ends_with_the_same_bits_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        counting = FullDisk(patch, None)
        whole = RunDirectory(train(copy.deepcopy(RECIPE), runs_dir=tmp_path / "whole").path)
    assert counting.seen > 60
    expected = results(whole)
    resumed = 0
    for after in range(0, counting.seen - 1, 9):
        runs = tmp_path / str(after)
        with monkeypatch.context() as patch:
            FullDisk(patch, after)
            try:
                train(copy.deepcopy(RECIPE), runs_dir=runs)
            except TrainwrightError as error:
                assert "full" in str(error), after
                assert "space" in str(error), after
        path = only_run(runs)
        if path is not None:
            assert_checkpoint_is_whole(RunDirectory(path))
            assert RunDirectory(path).state() in ("interrupted", "done")
            resumed += 1
        again = train(copy.deepcopy(RECIPE), runs_dir=runs)
        assert results(RunDirectory(again.path)) == expected, after
    assert resumed > 5


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of 80 MiB, where a run is let begin; skipped where mounting is not allowed."""
    folder = tmp_path_factory.mktemp("small")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=80m") != 0:
        pytest.skip(f"mounting a tmpfs: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(os.fsencode(folder), 2)


def test_a_real_disk_that_fills_up_and_is_freed_again(small: Path, tmp_path: Path) -> None:
    (tmp_path / "filling.yaml").write_text(yaml.safe_dump(RECIPE))
    runs = small / "runs"
    budget = ["filling.yaml", "train.epochs=40"]
    with Parent(tmp_path) as parent:
        child = parent.start("train", *budget, "--runs-dir", str(runs))
        poll(child, lambda: (run := only_run(runs)) and any(s >= 20 and done for s, done in checkpoints(run)))
        ballast = small / "ballast"
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while file.write(b"x" * 1024):
                pass
        assert child.wait() in (1, 2)
        assert "full" in child.said and "free some space, then resume the run" in child.said
        assert "Traceback" not in child.said
        path = only_run(runs)
        assert path is not None
        run = RunDirectory(path)
        assert run.state() == "interrupted"
        assert_checkpoint_is_whole(run)
        ballast.unlink()
        resumed = parent.run("resume", str(run.path))
        assert resumed.code == 0, resumed.said
        assert run.record().attempts[-1].from_step >= 20
        whole = parent.run("train", *budget, "--runs-dir", str(tmp_path / "whole"))
        assert whole.code == 0, whole.said
        undisturbed = only_run(tmp_path / "whole")
        assert undisturbed is not None
        assert results(run) == results(RunDirectory(undisturbed))
