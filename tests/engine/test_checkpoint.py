"""Checkpoints: two whole ones, whatever happens while a third is written or afterwards."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from trainwright.engine.checkpoint import CheckpointStore, CheckpointWriter
from trainwright.engine.state_tree import flatten
from trainwright.errors import RunError


def tree(step: int) -> dict[str, Any]:
    return {"step": step, "weight": torch.full((40, 10), float(step)), "nested": [{"lr": 0.1 * step}]}


def write(store: CheckpointStore, step: int, content: int | None = None) -> None:
    store.write(step, *flatten(tree(step if content is None else content)))


def latest(store: CheckpointStore) -> tuple[int, int, list[str]]:
    """Step, the step that the content names, and notices."""
    notices: list[str] = []
    found = store.read_latest(notices.append)
    assert found is not None
    step, state = found
    assert state["weight"].eq(state["step"]).all()
    return step, state["step"], notices


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "state")


def file_of(store: CheckpointStore, step: int, kind: str) -> Path:
    return next((store.folder / str(step)).glob(f"{kind}*"))


def test_two_are_kept_and_the_newest_is_read(store: CheckpointStore) -> None:
    for step in (2, 9, 10, 30):
        write(store, step)
    assert store.steps() == [10, 30]
    assert sorted(path.name for path in store.folder.iterdir()) == ["10", "30"]
    assert latest(store) == (30, 30, [])


def test_no_checkpoint_is_none(store: CheckpointStore) -> None:
    assert store.read_latest(pytest.fail) is None


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 4
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.write_text("[]")


def turn_into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [truncate, flip, empty, garble, Path.unlink, turn_into_folder])
@pytest.mark.parametrize("kind", ["tree", "tensors", "manifest"])
def test_a_damaged_last_one_falls_back_and_says_so(
    store: CheckpointStore, kind: str, damage: Callable[[Path], None]
) -> None:
    write(store, 5)
    write(store, 8)
    damage(file_of(store, 8, kind))
    step, content, notices = latest(store)
    assert (step, content) == (5, 5)
    assert len(notices) == 1
    assert "step 8" in notices[0]
    assert "falling back to the checkpoint of step 5" in notices[0]


def test_regular_checkpoints_are_kept_besides_and_gone_back_to(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "state", keep_regular=True)
    for step in range(1, 10):
        store.write(step, *flatten(tree(step)), regular=step % 3 == 1)
    # The last two of all, and the last two regular ones.
    assert store.steps() == [4, 7, 8, 9]
    assert [store.regular_before(step) for step in (3, 4, 6, 7, 9)] == [4, 4, 4, 7, 7]
    assert store.regular_before(9, unlike=[7]) == 4
    assert store.regular_before(9, unlike=[4, 7]) == 4
    store.forget_after(7)
    assert store.steps() == [4, 7]
    assert latest(store) == (7, 7, [])
    assert CheckpointStore(tmp_path / "none").regular_before(5) is None


def test_no_flipped_byte_of_a_manifest_goes_unnoticed(store: CheckpointStore) -> None:
    write(store, 5)
    write(store, 8)
    path = store.folder / "8" / "manifest.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        step, content, _ = latest(store)
        # Either it is passed over, or the change does not touch what it says (white space).
        assert (step, content) == (5, 5) or json.loads(changed) == json.loads(whole), place


def test_none_whole_is_an_error_that_says_what_to_do(store: CheckpointStore) -> None:
    for step in (5, 8):
        write(store, step)
        flip(file_of(store, step, "tensors"))
    with pytest.raises(RunError, match="no checkpoint of this run is whole") as caught:
        store.read_latest(pytest.fail)
    assert "step 8" in caught.value.why
    assert "step 5" in caught.value.why
    assert "--fresh" in caught.value.fix


def test_a_first_one_that_was_cut_short_is_no_damage(store: CheckpointStore) -> None:
    write(store, 5)
    (store.folder / "5" / "manifest.json").unlink()
    notices: list[str] = []
    assert store.read_latest(notices.append) is None
    assert "starting from the beginning" in notices[0]


def test_a_newer_format_is_refused_in_words(store: CheckpointStore) -> None:
    write(store, 5)
    path = store.folder / "5" / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(RunError, match="written in format 9"):
        store.read(5)


def test_after_a_fall_back_the_abandoned_future_goes(store: CheckpointStore) -> None:
    for step in (4, 8):
        write(store, step)
    flip(file_of(store, 8, "tree"))
    assert latest(store)[0] == 4
    write(store, 6)
    assert store.steps() == [4, 6]
    assert latest(store) == (6, 6, [])


def test_the_same_step_again_takes_the_place_of_the_first(store: CheckpointStore) -> None:
    write(store, 4)
    write(store, 4, content=7)
    assert latest(store) == (4, 7, [])
    assert len(list((store.folder / "4").iterdir())) == 3


class Injected:
    """Fails the n-th call of a set of system calls, and all after it, as a full disk does."""

    CALLS = ("write", "fsync", "open", "replace", "mkdir")

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.seen = 0
        for name in self.CALLS:
            patch.setattr(os, name, self._guard(getattr(os, name), name))

    def _guard(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            reads = name == "open" and not given[1] & (os.O_WRONLY | os.O_RDWR)
            if reads or (name == "mkdir" and Path(given[0]).is_dir()):
                return real(*given, **named)
            self.seen += 1
            if self.left is not None and self.seen > self.left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*given, **named)

        return call


@pytest.mark.parametrize("again", [False, True], ids=["next step", "same step again"])
def test_a_disk_that_is_full_at_any_call_leaves_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    with monkeypatch.context() as patch:
        counting = Injected(patch)
        write(CheckpointStore(tmp_path / "count"), 1)
    assert counting.seen >= 10
    for failing in range(counting.seen + 2):
        store = CheckpointStore(tmp_path / f"state-{failing}")
        write(store, 1)
        write(store, 2)
        with monkeypatch.context() as patch:
            injected = Injected(patch)
            injected.left = failing
            try:
                write(store, 2 if again else 3, content=4)
            except RunError as error:
                assert "could not be written" in str(error)
                assert "free some space" in error.fix
                committed = False
            else:
                committed = True
        step, content, notices = latest(store)
        # The manifest's rename commits; what fails after it changes nothing any more.
        assert content in ((2, 4) if not committed else (4,))
        assert (step, content) in ((2, 2), (2 if again else 3, 4))
        assert notices == []
        write(store, 5)
        assert latest(store) == (5, 5, []), "freed space is used again"


@pytest.mark.parametrize("again", [False, True], ids=["next step", "same step again"])
def test_a_kill_at_any_call_leaves_one_that_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """The directory as it stands before each system call is what a kill there would leave."""
    store = CheckpointStore(tmp_path / "state")
    write(store, 1)
    write(store, 2)
    snapshots: list[Path] = []

    def watch(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if threading.current_thread() is threading.main_thread() and not copying[0]:
                copying[0] = True
                snapshots.append(tmp_path / f"snapshot-{len(snapshots)}")
                shutil.copytree(store.folder, snapshots[-1])
                copying[0] = False
            return real(*given, **named)

        return call

    copying = [False]
    with monkeypatch.context() as patch:
        for name in ("write", "fsync", "open", "replace", "unlink", "rmdir", "mkdir"):
            patch.setattr(os, name, watch(getattr(os, name)))
        write(store, 2 if again else 3, content=4)
    assert len(snapshots) > 12
    contents = [latest(CheckpointStore(folder))[1] for folder in snapshots]
    assert contents == sorted(contents), "first the old one, from the commit on the new one"
    assert set(contents) == {2, 4}


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; skipped where mounting is not allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=64k") != 0:
        pytest.skip(f"mounting a tmpfs: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(os.fsencode(folder), 2)


def test_a_file_system_that_is_really_full(tmpfs: Path) -> None:
    store = CheckpointStore(tmpfs / "state")
    write(store, 1)
    write(store, 2)
    ballast = tmpfs / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while file.write(b"x" * 4096):
            pass
    with pytest.raises(RunError, match="the disk is full"):
        write(store, 3)
    assert latest(store) == (2, 2, [])
    ballast.unlink()
    write(store, 3)
    assert latest(store) == (3, 3, [])


def test_the_writer_writes_copies_and_hands_errors_to_the_training_thread(
    store: CheckpointStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = CheckpointWriter(store)
    state = tree(3)
    writer.submit(3, state)
    state["weight"].zero_()
    writer.flush()
    assert latest(store) == (3, 3, [])
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", lambda *_: (_ for _ in ()).throw(RunError("full")))
        writer.submit(4, state)
        with pytest.raises(RunError, match="full"):
            writer.flush()
    writer.submit(5, tree(5))
    writer.close()
    assert latest(store) == (5, 5, [])


def test_what_must_not_be_older_is_made_durable_first(store: CheckpointStore) -> None:
    seen: list[list[int]] = []
    writer = CheckpointWriter(store, before_commit=lambda: seen.append(store.steps()))
    writer.submit(1, tree(1))
    writer.submit(2, tree(2))
    writer.close()
    assert seen == [[], [1]]


def test_a_state_that_is_no_data_fails_at_once(store: CheckpointStore) -> None:
    writer = CheckpointWriter(store)
    with pytest.raises(TypeError, match="cannot be saved as data"):
        writer.submit(1, {"part": object()})
    writer.close()
