"""The spool: nothing lost to a kill, a full disk or a wrong value."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.runs import spool as spool_module
from trainwright.runs.atomic import StorageError
from trainwright.runs.metrics import read_metrics, read_records
from trainwright.runs.spool import Spool


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_one_line_per_call_in_order(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with Spool(path, attempt=3) as spool:
        spool.log(1, 0, {"train/loss": 0.5, "lr": np.float32(0.25)})
        spool.log(2, 0, {"train/loss": 0.25})
    first, second = lines(path)
    assert first.pop("time") > 1.7e9
    assert first == {"step": 1, "epoch": 0, "attempt": 3, "values": {"train/loss": 0.5, "lr": 0.25}}
    assert second["step"] == 2


def test_the_callers_mapping_may_change_afterwards(tmp_path):
    values = {"loss": 1.0}
    with Spool(tmp_path / "m") as spool:
        spool.log(1, 0, values)
        values["loss"] = 2.0
    assert read_metrics(tmp_path / "m") == {"loss": [(1, 1.0)]}


def test_zero_dimensional_tensors_are_taken(tmp_path):
    torch = pytest.importorskip("torch")
    with Spool(tmp_path / "m") as spool:
        spool.log(1, 0, {"a": torch.tensor(1.5), "b": torch.tensor(2, dtype=torch.bfloat16)})
    assert read_metrics(tmp_path / "m") == {"a": [(1, 1.5)], "b": [(1, 2.0)]}


def test_spool_itself_needs_no_torch():
    code = "import sys; sys.modules['torch'] = None; import trainwright.runs.spool"
    subprocess.run([sys.executable, "-c", code], check=True)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_comes_back_and_the_file_is_strict_json(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("spool") / "m"
    with Spool(path) as spool:
        spool.log(1, 0, {"x": value})
    json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    [(_, back)] = read_metrics(path)["x"]
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_flush_makes_it_readable_at_once(tmp_path):
    with Spool(tmp_path / "m", interval=1000) as spool:
        spool.log(1, 0, {"x": 1})
        spool.flush()
        assert read_metrics(tmp_path / "m") == {"x": [(1, 1.0)]}


def test_sigkill_costs_at_most_a_second(tmp_path):
    """The child logs every millisecond and tells what it logged; it is killed in full flight."""
    code = """
import sys, time
from trainwright.runs.spool import Spool
spool = Spool(sys.argv[1])
for step in range(10**9):
    spool.log(step, 0, {"x": step})
    if step % 50 == 0:
        print(step, time.time(), flush=True)
    time.sleep(0.001)
"""
    path = tmp_path / "m"
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [child.stdout.readline().split() for _ in range(32)]  # 1,600 steps: 1.6 s at least
    child.send_signal(signal.SIGKILL)
    child.wait()
    told += [line.split() for line in child.stdout.read().splitlines()]
    child.stdout.close()
    killed = float(told[-1][1])
    must = [int(step) for step, moment in told if float(moment) < killed - 1.0]
    assert len(must) > 2
    steps = [record.step for record in read_records(path)]
    assert steps == list(range(len(steps)))
    assert steps[-1] >= must[-1]


def test_exit_without_close_loses_nothing(tmp_path):
    code = """
import sys
from trainwright.runs.spool import Spool
spool = Spool(sys.argv[1], interval=1000)
spool.log(1, 0, {"x": 1})
sys.exit(3)
"""
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "m"], check=False).returncode == 3
    assert read_metrics(tmp_path / "m") == {"x": [(1, 1.0)]}


@pytest.mark.parametrize("tail", [b'{"step": 2, "ep', b"\0" * 500, b'{"step": 2\n', b"null\n", b"\n"])
def test_torn_tail_is_cut_before_new_lines_follow(tmp_path, tail):
    path = tmp_path / "m"
    with Spool(path) as spool:
        spool.log(1, 0, {"x": 1})
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    with Spool(path, attempt=2) as spool:
        assert path.read_bytes() == whole
        spool.log(2, 0, {"x": 2})
    assert read_metrics(path) == {"x": [(1, 1.0), (2, 2.0)]}


def test_a_torn_line_longer_than_a_block_is_cut(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b'{"step":1,"epoch":0,"attempt":1,"time":1,"values":{}}\n' + b"x" * 200_000)
    with Spool(path):
        pass
    assert path.read_bytes().count(b"\n") == 1 and b"x" not in path.read_bytes()


class FullDisk:
    """`os.write` takes `room` bytes and then has no space, until `room` is raised."""

    def __init__(self, monkeypatch, room: int) -> None:
        self.room, self.real = room, os.write
        monkeypatch.setattr(spool_module, "write_all", self.write_all)

    def write_all(self, handle: int, data: bytes) -> None:
        taken = data[: self.room]
        self.room -= self.real(handle, taken)
        if len(taken) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_is_told_at_the_next_call_and_the_file_stays_whole(tmp_path, monkeypatch):
    path = tmp_path / "m"
    spool = Spool(path, interval=1000)
    spool.log(1, 0, {"x": 1})
    spool.flush()
    disk = FullDisk(monkeypatch, room=10)
    spool.log(2, 0, {"x": 2})
    with pytest.raises(StorageError, match="disk is full"):
        spool.flush()
    assert [line["step"] for line in lines(path)] == [1]  # no half line
    with pytest.raises(StorageError):
        spool.log(3, 0, {"x": 3})
    disk.room = 10**6  # somebody frees space: what waited is written
    spool.flush()
    spool.log(4, 0, {"x": 4})
    spool.close()
    assert [line["step"] for line in lines(path)] == [1, 2, 4]


def test_full_disk_is_told_by_close(tmp_path, monkeypatch):
    spool = Spool(tmp_path / "m", interval=1000)
    FullDisk(monkeypatch, room=0)
    spool.log(1, 0, {"x": 1})
    with pytest.raises(StorageError):
        spool.close()
    spool.close()


def test_wrong_value_is_named_and_the_others_are_kept(tmp_path):
    torch = pytest.importorskip("torch")
    spool = Spool(tmp_path / "m", interval=1000)
    spool.log(1, 0, {"x": 1})
    spool.log(2, 0, {"pair": torch.zeros(2)})
    spool.log(3, 0, {"x": 3})
    with pytest.raises(TypeError, match=r"step 2.*pair"):
        spool.close()
    assert [line["step"] for line in lines(tmp_path / "m")] == [1, 3]


def test_missing_directory_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError):
        Spool(tmp_path / "no" / "m")
