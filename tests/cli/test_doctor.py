"""doctor, with torch asked in another process."""

from __future__ import annotations

import json
import sys

import pytest

from trainwright.cli import doctor


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_SPEED_BYTES", 4096)
    monkeypatch.setattr(doctor, "_ENOUGH_DISK", 0)
    monkeypatch.setenv("TRAINWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_says_what_this_machine_is(quick, command):
    answer = command("doctor", "--json")
    found = json.loads(answer.out)
    assert answer.code == 0 and found["problems"] == []
    assert found["torch"]["torch"] and isinstance(found["torch"]["devices"], list)
    assert found["runs"]["speed"] > 0
    text = "\n".join(doctor.lines(found))
    assert "all is well" in text and f"{found['hardware']['cores']} usable" in text


def test_torch_that_does_not_import_is_a_problem(quick, monkeypatch, command):
    monkeypatch.setattr(doctor, "_PROBE", "raise ImportError('libtorch.so: wrong ELF class')")
    answer = command("doctor")
    assert answer.code == 1
    assert "problem   torch does not import: ImportError: libtorch.so: wrong ELF class" in answer.out


def test_missing_extra_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(doctor, "EXTRAS", {"odd": (("no_such_package_here",), "odd things")})
    assert doctor.missing_extras() == {"odd": "odd things"}


def test_write_speed_leaves_nothing(quick, tmp_path):
    assert doctor.write_speed(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []


def test_extras_are_those_of_the_package():
    from importlib.metadata import metadata

    assert set(doctor.EXTRAS) == set(metadata("trainwright").get_all("Provides-Extra") or [])
    assert sys.executable
