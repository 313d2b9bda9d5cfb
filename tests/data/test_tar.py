"""Tar archives: members as tarfile reads them, and everything that an archive may do to us."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from trainwright.data import tar
from trainwright.data.archive import ArchiveError, open_archive
from trainwright.data.types import RawFile

FILES = {"a/1.jpg": b"one", "a/2.jpg": b"two" * 5000, f"{'deep/' * 40}long.txt": b"", "b/ä.txt": b"umlaut"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_CACHE", str(tmp_path / "cache"))


def write(path: Path, files: dict[str, bytes], mode: str = "w", format: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, mode, format=format) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tgz"])
def test_members_are_those_of_tarfile(tmp_path: Path, name: str, format: int) -> None:
    path = write(tmp_path / name, FILES, "w" if name == "x.tar" else "w:gz", format)
    archive = open_archive(str(path))
    assert {member: archive.read(member) for member in archive.members} == FILES
    assert RawFile(str(path), "a/1.jpg").read() == b"one" and RawFile(str(path), "a/2.jpg").size() == 15000
    with pytest.raises(KeyError):
        archive.read("a/3.jpg")


def test_the_index_is_made_once_and_anew_for_a_changed_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = []
    walk = tar._walk
    monkeypatch.setattr(tar, "_walk", lambda *given: walks.append(given) or walk(*given))
    path = str(write(tmp_path / "x.tar", FILES))
    for _ in range(3):
        assert tar.TarArchive(path).read("a/1.jpg") == b"one"
    assert len(walks) == 1
    write(tmp_path / "x.tar", {"a/1.jpg": b"new", "c": b""})
    assert tar.TarArchive(path).read("a/1.jpg") == b"new"
    assert len(walks) == 2


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a\\b"])
def test_paths_that_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="leaves the archive"):
        open_archive(str(write(tmp_path / "x.tar", {"good": b"1", name: b"2"})))


def test_links_and_devices_are_no_members(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("file"), io.BytesIO())
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            entry = tarfile.TarInfo(f"odd{kind.decode()}")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    opened = tar.TarArchive(str(tmp_path / "x.tar"))
    assert list(opened.members) == ["file"] and opened.left_out == 4


def test_damage_is_named(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.tar", FILES).read_bytes()
    packed = gzip.compress(whole)
    twice = write(tmp_path / "twice.tar", {"a": b"1"}).read_bytes()[:1024] * 2 + b"\0" * 1024
    cases = {
        "cut.tar": (whole[:9000], "cut off|damaged"),
        "cut.tar.gz": (packed[: len(packed) // 2], "cut off"),
        "broken.tar.gz": (packed[:40] + b"\xff" * 40 + packed[80:], "damaged"),
        "twice.tar": (twice, "there twice"),
        "empty.tar": (b"", "damaged|no files"),
        "text.tar": (b"no archive at all" * 100, "damaged"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ArchiveError, match=words):
            open_archive(str(tmp_path / name))
    assert not list((tmp_path / "cache" / "unpacked").glob("*.tar"))
    assert not list((tmp_path / "cache" / "unpacked").glob("*.partial"))


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "_ALWAYS_ALLOWED", 1 << 20)
    path = write(tmp_path / "bomb.tar.gz", {"zeros": bytes(50 << 20)}, "w:gz")
    with pytest.raises(ArchiveError, match="100 times its size"):
        tar.unpacked(str(path))
    assert sum(item.stat().st_size for item in (tmp_path / "cache" / "unpacked").iterdir()) == 0


def test_unpacking_happens_once_and_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    unpack = tar._unpack
    monkeypatch.setattr(tar, "_unpack", lambda *given: calls.append(given) or unpack(*given))
    path = str(write(tmp_path / "x.tar.gz", FILES, "w:gz"))
    target = tar.unpacked(path)
    assert tar.unpacked(path) == target and len(calls) == 1
    os.utime(target)  # touched, but the same: its digest says so
    assert tar.unpacked(path) == target and len(calls) == 1
    damaged = bytearray(target.read_bytes())
    damaged[700] ^= 1
    target.write_bytes(damaged)
    tar.unpacked(path)
    assert len(calls) == 2 and tar.TarArchive(path).read("a/1.jpg") == b"one"
    target.write_bytes(b"short")
    assert tar.TarArchive(path).read("a/1.jpg") == b"one" and len(calls) == 3


KILLED = """
import os, signal, sys
from trainwright.data import tar
inflated = tar._inflated
def dies(path):
    yield next(inflated(path))
    os.kill(os.getpid(), signal.SIGKILL)
tar._inflated = dies
tar.unpacked(sys.argv[1])
"""


def test_a_kill_in_the_middle_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    path = str(write(tmp_path / "x.tar.gz", FILES, "w:gz"))
    killed = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert killed.returncode == -9
    assert not list((tmp_path / "cache" / "unpacked").glob("*.tar"))
    assert tar.TarArchive(path).read("b/ä.txt") == b"umlaut"


def test_two_processes_at_once_unpack_one_whole_file(tmp_path: Path) -> None:
    path = str(write(tmp_path / "x.tar.gz", {**FILES, "large": os.urandom(3 << 20)}, "w:gz"))
    code = "import sys; from trainwright.data.tar import *\nprint(len(TarArchive(sys.argv[1]).read('large')))"
    both = [
        subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    assert [process.communicate()[0].strip() for process in both] == [str(3 << 20)] * 2
    assert len(list((tmp_path / "cache" / "unpacked").glob("*.tar"))) == 1
