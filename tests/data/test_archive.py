"""Zip archives: what `zipfile` reads is read the same, and what is unsafe is refused."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.archive import Archive, ArchiveError, open_archive

CONTENT = {"a.txt": b"first", "sub/b.bin": bytes(range(256)) * 40, "sub/ü.txt": b"name", "empty": b""}


def write(path: Path, content: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
        archive.mkdir("folder")
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_those_of_zipfile(tmp_path, method):
    archive = Archive(str(write(tmp_path / "a.zip", CONTENT, method)))
    assert {name: archive.read(name) for name in archive.members} == CONTENT


def test_zip64_and_comments_are_read(tmp_path):
    path = tmp_path / "wide.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"PK\x05 a comment" * 20
        with archive.open(zipfile.ZipInfo("big"), "w", force_zip64=True) as file:
            file.write(b"12345")
        for number in range(70_000):  # more than the 65,535 that a plain directory can count
            archive.writestr(f"f/{number}", b"")
    archive = Archive(str(path))
    assert len(archive.members) == 70_001
    assert archive.read("big") == b"12345"


def test_an_archive_is_listed_again_when_it_changes(tmp_path):
    path = write(tmp_path / "a.zip", {"a": b"1"})
    assert open_archive(str(path)) is open_archive(str(path))
    write(path, {"a": b"1", "b": b"22"})
    assert list(open_archive(str(path)).members) == ["a", "b"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.jpg", "a/../../b.jpg", "a\\b.jpg"])
def test_paths_that_leave_the_archive_are_refused(tmp_path, name):
    with pytest.raises(ArchiveError, match="leaves the archive"):
        Archive(str(write(tmp_path / "bad.zip", {name: b"x"})))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_doubled_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    with pytest.raises(ArchiveError, match="twice"):
        Archive(str(tmp_path / "bad.zip"))


def patched(path: Path, place: int, value: bytes) -> Path:
    """Overwrites bytes of the first entry of the central directory."""
    data = bytearray(path.read_bytes())
    start = data.find(b"PK\x01\x02") + place
    data[start : start + len(value)] = value
    path.write_bytes(data)
    return path


def test_encrypted_and_bomb_like_members_are_refused(tmp_path):
    path = patched(write(tmp_path / "secret.zip", {"a": b"1"}), 8, b"\x01\x00")
    with pytest.raises(ArchiveError, match="encrypted"):
        Archive(str(path))
    path = patched(write(tmp_path / "bomb.zip", {"a": b"1"}), 24, (2**31 + 1).to_bytes(4, "little"))
    with pytest.raises(ArchiveError, match="claims 2147483649 bytes"):
        Archive(str(path))


def test_a_member_that_unpacks_to_more_than_it_says_stops_there(tmp_path):
    path = patched(write(tmp_path / "bomb.zip", {"a": b"0" * 10_000_000}), 24, (10).to_bytes(4, "little"))
    with pytest.raises(ArchiveError, match="length or checksum"):
        Archive(str(path)).read("a")


def test_a_changed_byte_of_a_member_is_noticed(tmp_path):
    path = write(tmp_path / "a.zip", {"a": b"0123456789"}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"0123456789", b"0123456780"))
    with pytest.raises(ArchiveError, match="checksum"):
        Archive(str(path)).read("a")


@pytest.mark.parametrize("size", [0, 10, 200, -30])
def test_cut_off_archives_are_refused(tmp_path, size):
    path = write(tmp_path / "a.zip", CONTENT)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ArchiveError):
        Archive(str(path))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8))
def test_damage_gives_the_right_bytes_or_an_archive_error(tmp_path_factory, changes):
    path = write(tmp_path_factory.mktemp("fuzz") / "a.zip", CONTENT)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    path.write_bytes(data)
    try:
        archive = Archive(str(path))
        for name in archive.members:
            archive.read(name)
    except (ArchiveError, KeyError):
        pass  # refused in words: that is the other right answer
