"""What a run was made with, compared with what the system itself says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy
import pytest

from trainwright.runs.environment import environment, git, hardware, memory_bytes, packages, usable_cores


def test_packages_are_those_installed():
    found = packages()
    assert found["numpy"] == numpy.__version__
    assert found["python"] == sys.version.split()[0]
    assert packages(("no-such-package",)) == {"python": found["python"]}


def test_nothing_heavy_is_imported():
    code = """
import sys
from trainwright.runs.environment import environment
environment()
assert not {"torch", "timm", "numpy", "pandas"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_is_json(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/trainwright", "train", "digits"])
    found = environment()
    assert json.loads(json.dumps(found)) == found
    assert found["command"] == ["trainwright", "train", "digits"]
    assert set(found) == {"packages", "git", "hardware", "command"}


def test_hardware_is_what_the_process_may_use():
    found = hardware()
    assert 1 <= found["cores"] <= (os.cpu_count() or 1)
    assert found["processor"] and found["host"]
    assert 2**27 < memory_bytes() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_affinity_limits_the_cores():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.fixture
def work_tree(tmp_path):
    def run(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "-q", "-b", "trunk")
    return tmp_path, run


def test_git_commit_and_changes(work_tree):
    path, run = work_tree
    assert git(path) == {"commit": "", "branch": "trunk", "dirty": False}
    (path / "a").write_text("1")
    run("add", "a")
    run("commit", "-qm", "first")
    head = run("rev-parse", "HEAD")
    (path / "untracked").touch()
    assert git(path) == {"commit": head, "branch": "trunk", "dirty": False}
    (path / "a").write_text("2")
    assert git(path)["dirty"] is True


def test_outside_of_git_and_without_git(tmp_path, monkeypatch):
    assert git(tmp_path) == {}
    monkeypatch.setenv("PATH", "")
    assert git(tmp_path) == {}
