"""doctor, with torch asked in another process."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

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


def test_extras_say_what_they_are_for_and_how_to_get_them(monkeypatch):
    requires = ["numpy>=2", 'simplejpeg>=1.8; extra == "jpeg"', "no_such-package[x]>=1 ; extra == 'audio'"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: requires)
    monkeypatch.setattr(doctor.metadata, "metadata", lambda name: FakeMetadata())
    jpeg, audio = doctor.extras()
    assert jpeg["packages"] == ["simplejpeg"] and jpeg["purpose"] == doctor.PURPOSES["jpeg"]
    assert audio["packages"] == ["no_such-package"] and not audio["installed"]
    assert doctor._about_extra(audio) == (
        "audio, sound files (no_such-package): not installed: pip install 'trainwright[audio]'"
    )


class FakeMetadata:
    def get_all(self, name):
        return {"Provides-Extra": ["jpeg", "audio"]}[name]


def test_write_speed_leaves_nothing(quick, tmp_path):
    assert doctor.write_speed(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []


def test_every_extra_has_a_purpose():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == set(doctor.PURPOSES)
