"""A kill before each single write of archiving, restoring and purging: nothing is lost that was not to go."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from trainwright.cli import main
from trainwright.runs.archive import archived_runs, find_archived, restore
from trainwright.runs.directory import RunDirectory
from trainwright.runs.listing import all_runs
from trainwright.runs.removing import alone

# Runs commands that it is told, each in a process that dies before one of its writes. It has no threads, so
# that it can be forked.
FORKING = """
import itertools, json, os, signal, sys
import trainwright.cli.runs, trainwright.runs.archive, trainwright.workflows.purging  # once, not in each
from trainwright.cli import main

def work(number, words):
    writes = itertools.count()

    def watch(event, given):
        opened = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
        if opened or event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link"):
            if next(writes) == number:
                os.kill(os.getpid(), signal.SIGKILL)

    os.dup2(2, 1)
    sys.addaudithook(watch)
    os._exit(main(words))

for line in sys.stdin:
    pid = os.fork() or work(*json.loads(line))
    print(os.waitpid(pid, 0)[1], flush=True)
"""
GONE, OTHER = "digits-aaaaaaaaaa", "digits-bbbbbbbbbb"

Files = dict[str, bytes]


def files(folder: Path) -> Files:
    """Names and bytes of what is in a folder, the lock apart."""
    there = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in there}


@pytest.fixture
def kills(
    make_run: Callable[..., RunDirectory], runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[list[str], list[str]], Iterator[int]]]:
    """Kills a command before each of its writes, every time in the same folder of two runs."""
    monkeypatch.chdir(tmp_path)
    forking = subprocess.Popen(
        [sys.executable, "-c", FORKING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert forking.stdin is not None and forking.stdout is not None
    told, heard = forking.stdin, forking.stdout
    for name in (GONE, OTHER):
        make_run(salt=name.partition("-")[2])

    def kills(before: list[str], words: list[str]) -> Iterator[int]:
        place = ["--runs-dir", str(runs_dir), "--index", "none"]
        if before:
            assert main(["runs", *before, *place]) == 0
        shutil.copytree(runs_dir, tmp_path / "as-it-was")
        for number in count():
            shutil.rmtree(runs_dir)
            shutil.copytree(tmp_path / "as-it-was", runs_dir)
            told.write(json.dumps([number, ["runs", *words, *place]]) + "\n")
            told.flush()
            status = int(heard.readline())
            assert status in (0, signal.SIGKILL), status
            if status == 0:
                assert number > 5
                return
            yield number

    yield kills
    told.close(), heard.close()
    assert forking.wait() == 0


def test_an_archived_run_is_whole_in_one_of_its_places(kills, runs_dir: Path) -> None:
    whole = files(runs_dir / GONE)
    for number in kills([], ["archive", GONE]):
        with alone(runs_dir):
            if not (runs_dir / GONE).exists():
                restore(find_archived([GONE], runs_dir)[0], runs_dir)
        assert files(runs_dir / GONE) == whole, number


def test_a_restored_run_is_whole_in_one_of_its_places(kills, runs_dir: Path) -> None:
    whole = files(runs_dir / GONE)
    for number in kills(["archive", GONE], ["restore", GONE]):
        left = find_archived([], runs_dir, left=True)
        with alone(runs_dir):
            for item in left:
                restore(item, runs_dir)
        assert files(runs_dir / GONE) == whole, number
        assert files(runs_dir / "archive") == {}, number


@pytest.mark.parametrize("archived", [False, True])
def test_a_purged_run_is_whole_or_gone_and_nothing_else_is_touched(
    kills, runs_dir: Path, archived: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, other = files(runs_dir / GONE), files(runs_dir / OTHER)
    before, option = (["archive", GONE], ["--archived"]) if archived else ([], [])
    purge = ["purge", GONE, "--yes", *option]
    for number in kills(before, purge):
        assert files(runs_dir / OTHER) == other, number
        there = [run.path.name for run in all_runs(runs_dir)]
        packed = [item.id for item in archived_runs(runs_dir)]
        assert OTHER in there and set(there) | set(packed) <= {GONE, OTHER}
        if GONE in there:
            assert files(runs_dir / GONE) == whole, number
        if GONE in (*there, *packed):
            assert main(["runs", *purge, "--runs-dir", str(runs_dir), "--index", "none"]) == 0
        with alone(runs_dir):  # what every later archiving, restoring and purging begins with
            assert {path.name for path in runs_dir.iterdir()} == {OTHER, "archive"}, number
            assert files(runs_dir / "archive") == {}, number
