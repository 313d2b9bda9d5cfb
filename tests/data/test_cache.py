"""The decoded cache: built once, whole or not at all, shared, bounded."""

import errno
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from trainwright.data.cache import DecodedCache, JsonCache

KEY = {"data": "abc", "processor": {"size": [2, 2]}}
VALUES = np.arange(24, dtype=np.uint8).reshape(3, 2, 2, 2)


def fill(file: int, offset: int) -> list[tuple[int, str]]:
    os.pwrite(file, VALUES.tobytes(), offset)
    return [(1, "torn")]


def build(cache: DecodedCache, key=KEY, filling=fill):
    return cache.build(key, VALUES.shape, VALUES.dtype, filling)


def test_an_entry_is_built_once_and_found_again(tmp_path):
    cache = DecodedCache(tmp_path)
    assert cache.find(KEY) is None
    entry, there = build(cache)
    assert not there
    found = DecodedCache(tmp_path).find(KEY)
    for item in (entry, found):
        assert np.array_equal(item.values, VALUES)
        assert item.bad == [(1, "torn")]
    _, there = build(cache, filling=None)
    assert there
    assert cache.find({**KEY, "data": "abd"}) is None


def test_writing_to_the_values_does_not_reach_the_file(tmp_path):
    cache = DecodedCache(tmp_path)
    build(cache)[0].values[0] = 99
    assert np.array_equal(cache.find(KEY).values, VALUES)


def test_a_failing_builder_leaves_nothing(tmp_path):
    def fail(file: int, offset: int) -> list[tuple[int, str]]:
        os.pwrite(file, b"half", offset)
        raise RuntimeError("interrupted")

    cache = DecodedCache(tmp_path)
    with pytest.raises(RuntimeError):
        build(cache, filling=fail)
    assert cache.find(KEY) is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


KILLED = """
import os, signal
from pathlib import Path
import numpy as np
from trainwright.data.cache import DecodedCache
def die(file, offset):
    os.pwrite(file, b"half", offset)
    os.kill(os.getpid(), signal.SIGKILL)
DecodedCache(Path({folder!r})).build({key!r}, (3, 2, 2, 2), np.dtype(np.uint8), die)
"""


def test_a_killed_builder_leaves_no_entry_and_its_lock_is_free(tmp_path):
    code = KILLED.format(folder=str(tmp_path), key=KEY)
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    cache = DecodedCache(tmp_path)
    assert cache.find(KEY) is None
    assert list(tmp_path.glob("*.building"))
    build(cache, {"data": "other"})
    assert not list(tmp_path.glob("*.building")), "any later build clears what was left"
    entry, there = build(cache)
    assert not there and np.array_equal(entry.values, VALUES)


SECOND = """
import sys
from pathlib import Path
import numpy as np
from trainwright.data.cache import DecodedCache
entry, there = DecodedCache(Path({folder!r})).build(
    {key!r}, (3, 2, 2, 2), np.dtype(np.uint8), lambda file, offset: 1 / 0,
    waiting=lambda: print("waiting", flush=True))
print(there, entry.values.sum())
"""


def test_a_second_process_waits_and_gets_the_first_ones_entry(tmp_path):
    said: list[str] = []

    def slow(file: int, offset: int) -> list[tuple[int, str]]:
        code = textwrap.dedent(SECOND).format(folder=str(tmp_path), key=KEY)
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        said.append(other.stdout.readline().strip())  # it has met our lock: now finish
        thread = threading.Thread(target=lambda: said.append(other.communicate()[0].strip()))
        thread.start()
        said_thread.append(thread)
        return fill(file, offset)

    said_thread: list[threading.Thread] = []
    build(DecodedCache(tmp_path), filling=slow)
    said_thread[0].join(timeout=60)
    assert said == ["waiting", f"True {VALUES.sum()}"]


def test_damaged_entries_are_built_again(tmp_path):
    cache = DecodedCache(tmp_path)
    build(cache)
    (values,) = tmp_path.glob("*/values.npy")
    for content in (b"", values.read_bytes()[:-5], b"\x93NUMPY nonsense"):
        values.write_bytes(content)
        assert cache.find(KEY) is None
        entry, there = build(cache)
        assert not there and np.array_equal(entry.values, VALUES)
    (about,) = tmp_path.glob("*/entry.json")
    about.write_text("{")
    assert cache.find(KEY) is None


def test_the_entries_used_longest_ago_make_room(tmp_path):
    size = VALUES.nbytes + 128  # with the header of the file
    cache = DecodedCache(tmp_path, limit=3 * size)
    keys = [{"data": str(number)} for number in range(4)]
    for age, key in enumerate(keys[:3]):
        build(cache, key)
        about = next(path for path in tmp_path.glob("*/entry.json") if f'"{age}"' in path.read_text())
        os.utime(about, (1000 + age, 1000 + age))
    assert cache.find(keys[0]) is not None  # used now: no longer the oldest
    build(cache, keys[3])
    assert [cache.find(key) is not None for key in keys] == [True, False, True, True]


def test_an_entry_in_use_outlives_its_removal(tmp_path):
    cache = DecodedCache(tmp_path, limit=1)
    first, _ = build(cache, {"data": "1"})
    build(cache, {"data": "2"})
    assert cache.find({"data": "1"}) is None
    assert np.array_equal(first.values, VALUES)


def test_the_limit_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINWRIGHT_CACHE_GB", "0.5")
    assert DecodedCache(tmp_path).limit == 2**29


def test_small_results_by_key(tmp_path):
    cache = JsonCache(tmp_path / "fits")
    assert cache.find(KEY) is None
    cache.store(KEY, {"mean": [0.5]})
    assert JsonCache(tmp_path / "fits").find(KEY) == {"mean": [0.5]}
    (tmp_path / "file").write_text("in the way")
    JsonCache(tmp_path / "file" / "deeper").store(KEY, 1)  # a cache that cannot be written is no error


@pytest.mark.parametrize("number", ["EOPNOTSUPP", "ENOSPC"])
def test_a_file_system_that_cannot_reserve_is_fine_and_a_full_one_is_told_at_once(
    tmp_path, monkeypatch, number
):
    def refuse(file, start, size):
        raise OSError(getattr(errno, number), number)

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    cache = DecodedCache(tmp_path)
    if number == "EOPNOTSUPP":
        assert np.array_equal(build(cache)[0].values, VALUES)
    else:
        with pytest.raises(OSError, match="ENOSPC"):
            build(cache, filling=None)
        assert cache.find(KEY) is None
