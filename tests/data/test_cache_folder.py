"""Entries are whole or not there, are built once, and the ones used longest ago make room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainwright.data.cache_folder import CacheFolder


def opened(path: Path) -> str | None:
    return (path / "about").read_text() if (path / "about").exists() else None


def filling(text: str, size: int = 0):
    def fill(folder: Path) -> None:
        (folder / "about").write_text(text)
        (folder / "values").write_bytes(bytes(size))

    return fill


def test_an_entry_is_built_once(tmp_path):
    cache = CacheFolder(tmp_path / "new", 1, "about")
    assert cache.build({"a": 1}, opened, filling("first")) == ("first", False)
    assert cache.build({"a": 1}, opened, filling("second")) == ("first", True)
    assert cache.build({"a": 2}, opened, filling("other")) == ("other", False)


def test_another_format_is_another_entry(tmp_path):
    CacheFolder(tmp_path, 1, "about").build({}, opened, filling("old"))
    assert CacheFolder(tmp_path, 2, "about").build({}, opened, filling("new")) == ("new", False)


def test_a_builder_that_fails_leaves_nothing(tmp_path):
    cache = CacheFolder(tmp_path, 1, "about")

    def fail(folder: Path) -> None:
        (folder / "about").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.build({}, opened, fail)
    assert [path for path in tmp_path.iterdir() if path.suffix != ".lock"] == []
    assert cache.build({}, opened, filling("whole")) == ("whole", False)


def test_what_a_killed_builder_left_is_no_entry_and_is_removed(tmp_path):
    left = tmp_path / "killed.building"
    left.mkdir()
    (left / "about").write_text("half")
    cache = CacheFolder(tmp_path, 1, "about")
    cache.build({}, opened, filling("whole"))
    assert not left.exists()


def test_the_ones_used_longest_ago_make_room(tmp_path):
    cache = CacheFolder(tmp_path, 1, "about", limit=250)
    for number in range(2):
        cache.build({"n": number}, opened, filling("x", 100))
        os.utime(cache.path({"n": number}) / "about", (number, number))
    cache.build({"n": 2}, opened, filling("x", 100))
    assert [opened(cache.path({"n": number})) for number in range(3)] == [None, "x", "x"]
