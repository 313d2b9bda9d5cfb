"""Whole or not there: what a fault at every system call in turn leaves behind."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.runs import atomic
from trainwright.runs.atomic import (
    StorageError,
    remove_leftovers,
    replacing,
    write_bytes,
    write_json,
    write_text,
)

CALLS = ["open", "write", "fsync", "replace"]


class FaultAt:
    """Makes the n-th of the given `os` calls fail as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        self.count, self.number, self.failed = 0, number, ""
        for name in CALLS:
            monkeypatch.setattr(atomic.os, name, self.wrap(name, getattr(os, name)))

    def wrap(self, name, real):
        def call(*args, **kwargs):
            self.count += 1
            if self.count == self.number:
                self.failed = name
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return call


def visible(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_writes_and_replaces(tmp_path):
    write_text(tmp_path / "a.txt", "grün")
    assert (tmp_path / "a.txt").read_bytes() == b"gr\xc3\xbcn"
    write_bytes(tmp_path / "a.txt", b"")
    assert (tmp_path / "a.txt").read_bytes() == b""
    assert visible(tmp_path) == ["a.txt"]


def test_no_space_at_every_call_in_turn_keeps_the_previous_file(tmp_path):
    """Walks the fault through all system calls of one write until one write meets none."""
    target = tmp_path / "a.json"
    failed = []
    for number in range(1, 50):
        target.write_text("before")
        with pytest.MonkeyPatch.context() as patch:
            fault = FaultAt(patch, number)
            try:
                write_json(target, {"now": 1})
            except StorageError as error:
                assert error.full
                assert "disk is full" in str(error) and str(target) in str(error)
            else:
                break
        failed.append(fault.failed)
        # A fault after the rename can only hit the directory's sync: then the new file is whole.
        assert target.read_text() in ("before", '{\n "now": 1\n}\n')
        assert visible(tmp_path) == ["a.json"]
    assert set(failed) == set(CALLS)
    assert target.read_text() == '{\n "now": 1\n}\n'


def test_a_short_write_is_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(atomic.os, "write", lambda handle, data: real(handle, bytes(data[:3])))
    write_bytes(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_value_that_json_cannot_hold_touches_nothing(tmp_path):
    write_json(tmp_path / "a", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "a", object())
    assert (tmp_path / "a").read_text() == "1\n"


def test_exception_in_the_block_passes_and_cleans_up(tmp_path):
    (tmp_path / "a.bin").write_text("before")
    with pytest.raises(KeyError), replacing(tmp_path / "a.bin") as temporary:
        temporary.write_text("half")
        assert temporary.suffix == ".bin"
        raise KeyError
    assert visible(tmp_path) == ["a.bin"]
    assert (tmp_path / "a.bin").read_text() == "before"


def test_words_of_a_foreign_writer_become_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="disk is full"), replacing(tmp_path / "a") as temporary:
        temporary.touch()
        raise RuntimeError("I/O error: No space left on device (os error 28)")


def test_missing_directory_says_what_to_do(tmp_path):
    with pytest.raises(StorageError, match="check that the directory exists") as caught:
        write_text(tmp_path / "no" / "a", "x")
    assert not caught.value.full


def test_leftovers_of_a_killed_writer_are_removed(tmp_path):
    (tmp_path / "state").mkdir()
    left = tmp_path / "state" / ".last.123-0.partial.safetensors"
    left.touch()
    (tmp_path / ".hidden").touch()
    assert remove_leftovers(tmp_path) == [left]
    assert visible(tmp_path / "state") == []
    assert visible(tmp_path) == [".hidden", "state"]


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_really_full_disk(small_disk):
    target = small_disk / "weights.bin"
    write_bytes(target, b"a" * 100_000)
    with pytest.raises(StorageError, match="disk is full"):
        write_bytes(target, b"b" * 300_000)
    assert target.read_bytes() == b"a" * 100_000
    assert visible(small_disk) == ["weights.bin"]
    write_bytes(target, b"c" * 100_000)  # the failed try left nothing that takes space
