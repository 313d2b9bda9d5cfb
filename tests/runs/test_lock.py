"""The lock against real processes, kills and forks."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from trainwright.errors import StorageError, UserError
from trainwright.runs import lock as lock_module
from trainwright.runs.lock import LockHeld, Owner, RunLock, holder, on_network, read_owner

HOLD = """
import sys
from trainwright.runs.lock import RunLock
lock = RunLock(sys.argv[1]).acquire()
print("held", flush=True)
sys.stdin.read()
lock.release()
"""
# Leaves a forked child behind that has the lock's file open.
HOLD_WITH_CHILD = """
import os, sys
from trainwright.runs.lock import RunLock
lock = RunLock(sys.argv[1]).acquire()
child = os.fork()
if child == 0:
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
sys.stdin.read()
"""


@contextmanager
def process(code: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            pipe.close()


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_a_second_process_is_refused_with_pid_and_host(tmp_path):
    path = tmp_path / "lock"
    with process(HOLD, path) as child:
        assert first_line(child) == "held"
        with pytest.raises(LockHeld, match=f"process {child.pid} on {os.uname().nodename}") as caught:
            RunLock(path).acquire()
        assert caught.value.owner is not None and caught.value.owner.pid == child.pid
        assert isinstance(caught.value, UserError) and caught.value.exit_code == 2
        owner = holder(path)
        assert owner is not None and owner.pid == child.pid and not owner.dead()


def test_sigkill_frees_the_lock(tmp_path):
    path = tmp_path / "lock"
    with process(HOLD, path) as child:
        first_line(child)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert holder(path) is None
        left = read_owner(path)
        assert left is not None and left.pid == child.pid and left.dead()
        with RunLock(path) as mine:
            assert mine.held
            taken = holder(path)
            assert taken is not None and taken.pid == os.getpid()


def test_a_zombie_is_dead(tmp_path):
    path = tmp_path / "lock"
    with process(HOLD, path) as child:
        first_line(child)
        owner = holder(path)
        assert owner is not None
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # died, not yet reaped
        assert owner.dead()


def test_normal_release_leaves_no_owner(tmp_path):
    path = tmp_path / "lock"
    with process(HOLD, path) as child:
        first_line(child)
        child.communicate("")
        assert child.returncode == 0
    assert holder(path) is None and read_owner(path) is None


def test_two_objects_of_one_process_exclude_each_other(tmp_path):
    with RunLock(tmp_path / "lock"), pytest.raises(LockHeld):
        RunLock(tmp_path / "lock").acquire()


def test_lock_of_a_dead_owner_whose_forked_child_lives_is_broken(tmp_path):
    path = tmp_path / "lock"
    with process(HOLD_WITH_CHILD, path) as parent:
        orphan = int(first_line(parent))
        with pytest.raises(LockHeld):
            RunLock(path).acquire()  # the parent lives
        parent.kill()
        parent.wait()
        os.kill(orphan, 0)  # the child lives and still has the file open
        assert holder(path) is None
        with RunLock(path) as mine:
            assert mine.held
            with pytest.raises(LockHeld, match=f"process {os.getpid()}"):
                RunLock(path).acquire()
        assert not list(tmp_path.glob("*.breaking"))


def test_forked_child_does_not_release_its_parents_lock(tmp_path):
    code = """
import os, sys
from trainwright.runs.lock import RunLock, holder
with RunLock(sys.argv[1]) as lock:
    child = os.fork()
    if child == 0:
        lock.release()
        os._exit(0 if not lock.held else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert holder(sys.argv[1]).pid == os.getpid()
print("fine")
"""
    with process(code, tmp_path / "lock") as child:
        assert first_line(child) == "fine"


def test_pid_that_was_given_to_another_process_is_told_by_its_start_time():
    me = Owner.me()
    assert not me.dead()
    assert replace(me, born="1").dead()


def test_what_cannot_be_proven_dead_is_not_dead():
    me = Owner.me()
    gone = replace(me, pid=2**22 + 1)
    assert gone.dead()
    assert not replace(gone, namespace="pid:[1]").dead()
    assert not replace(gone, boot="other", host="elsewhere").dead()
    assert replace(me, boot="before the restart").dead()


def test_on_a_network_disk_another_machines_name_is_believed(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    foreign = Owner(7, "elsewhere", "other-boot", "pid:[1]", "5")
    path.write_text(json.dumps(asdict(foreign)))
    assert holder(path) is None  # a local disk: nobody else can have mounted it
    monkeypatch.setattr(lock_module, "on_network", lambda _path: True)
    assert holder(path) == foreign
    with pytest.raises(LockHeld, match="make sure that process 7 on elsewhere is gone, then delete"):
        RunLock(path).acquire()
    path.unlink()
    RunLock(path).acquire().release()


def test_local_file_system_is_known(tmp_path):
    assert not on_network("/proc")
    assert not on_network(tmp_path)


def test_damaged_lock_file_is_no_owner(tmp_path):
    (tmp_path / "lock").write_text("{")
    assert read_owner(tmp_path / "lock") is None
    with RunLock(tmp_path / "lock"):
        pass


def test_a_lock_that_could_not_be_written_is_not_held(tmp_path, monkeypatch):
    def full(handle: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(lock_module, "write_all", full)
        with pytest.raises(StorageError, match="full"):
            RunLock(tmp_path / "lock").acquire()
    RunLock(tmp_path / "lock").acquire().release()
