"""The digest of data: what changes it, what does not, and what is not read twice."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from trainwright.data.fingerprint import digest_files, digest_values
from trainwright.errors import DataError


def make(root: Path, content: dict[str, str]) -> list[Path]:
    paths = []
    for name, text in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1_000_000, 1_000_000))  # long ago, so that digests are remembered
        paths.append(path)
    return paths


FILES = {"a/1.txt": "one", "a/2.txt": "two", "b/1.txt": "three"}


def test_the_digest_follows_contents_and_relative_names_not_the_place_or_order(tmp_path):
    first = digest_files(make(tmp_path / "here", FILES), tmp_path / "cache")
    moved = make(tmp_path / "elsewhere/deep", FILES)
    assert digest_files(moved[::-1], tmp_path / "cache") == first
    renamed = dict(zip(["a/1.txt", "a/3.txt", "b/1.txt"], FILES.values(), strict=True))
    assert digest_files(make(tmp_path / "renamed", renamed), tmp_path / "cache") != first
    swapped = dict(zip(FILES, ["two", "one", "three"], strict=True))
    assert digest_files(make(tmp_path / "swapped", swapped), tmp_path / "cache") != first


def test_a_known_file_is_not_read_again_and_a_changed_one_is(tmp_path):
    paths = make(tmp_path / "data", FILES)
    read: list[tuple[int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        assert stage == "fingerprint"
        read.append((done, total))

    first = digest_files(paths, tmp_path / "cache", progress)
    assert read[-1] == (11, 11)
    read.clear()
    assert digest_files(paths, tmp_path / "cache", progress) == first
    assert read == []
    paths[1].write_text("TWO")
    os.utime(paths[1], (1_000_001, 1_000_001))
    assert digest_files(paths, tmp_path / "cache", progress) != first
    assert read == [(3, 3)]


def test_a_file_changed_a_moment_ago_is_not_trusted(tmp_path):
    path = tmp_path / "data" / "x"
    path.parent.mkdir()
    path.write_text("1")
    first = digest_files([path], tmp_path / "cache")
    stamp = path.stat().st_mtime_ns
    path.write_text("2")
    os.utime(path, ns=(stamp, stamp))  # as a change within one tick of the clock would leave it
    assert digest_files([path], tmp_path / "cache") != first


def test_a_damaged_store_and_a_folder_that_cannot_be_written_only_cost_time(tmp_path):
    paths = make(tmp_path / "data", FILES)
    first = digest_files(paths, tmp_path / "cache")
    (store,) = (tmp_path / "cache" / "digests").iterdir()
    store.write_text("{ torn")
    assert digest_files(paths, tmp_path / "cache") == first
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert digest_files(paths, blocked / "cache") == first


def test_processes_at_once_leave_a_whole_store(tmp_path):
    paths = make(tmp_path / "data", {f"{number}": "x" * number for number in range(200)})
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(digest_files(paths, tmp_path / "cache")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found) == 8
    assert [path.suffix for path in (tmp_path / "cache" / "digests").iterdir()] == [".json"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="gone") as error:
        digest_files([tmp_path / "gone.txt"], tmp_path / "cache")
    assert "gone.txt" in error.value.where


def test_arrays_differ_by_bytes_dtype_shape_and_name():
    base = np.arange(6, dtype=np.int32)
    variants = [
        {"x": base},
        {"y": base},
        {"x": base.astype(np.int64)},
        {"x": base.reshape(2, 3)},
        {"x": base[::-1]},
        {"x": base, "y": base},
        {"x": base.tolist()},
        {"x": ["a", "bc"]},
        {"x": ["ab", "c"]},
        {"x": np.array(["ab", None], dtype=object)},
        {"x": [base, base[:3]]},
    ]
    assert len({digest_values(columns) for columns in variants}) == len(variants)
    assert digest_values({"x": base[::2]}) == digest_values({"x": base[::2].copy()})


def test_times_are_values_too():
    days = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")
    other = days + np.timedelta64(1, "D")
    digests = {digest_values({"day": values}) for values in (days, other, days.astype("datetime64[s]"))}
    assert len(digests) == 3
