"""States of GPUs as the driver's tool prints them."""

from __future__ import annotations

import subprocess

import pytest

from tests.machine.recorded import recorded
from trainwright.machine.gpus import Gpu, read_gpus
from trainwright.machine.host_memory import Holder

MIB = 1 << 20
FIRST, SECOND = "GPU-513536b6-7d19-9063-b049-1e69664bb298", "GPU-29c8b4f1-3c1f-52ad-7a55-0b2d6f3e8c14"


def test_of_each_gpu_memory_work_and_holders_are_told():
    first, second = read_gpus(recorded("busy"))
    assert first == Gpu(
        FIRST,
        "NVIDIA A100-SXM4-80GB",
        81920 * MIB,
        40075 * MIB,
        0.98,
        (Holder(812, "python3", 41204 * MIB),),
    )
    assert (second.uuid, second.free, second.utilization) == (SECOND, 69283 * MIB, 0.0)
    assert second.holders == (Holder(977, "serve", 12000 * MIB),)


def test_memory_of_a_holder_that_is_not_told_is_nothing():
    assert read_gpus(recorded("full"))[1].holders == (Holder(977, "python3", 0),)


def test_a_divided_gpu_is_its_instances_each_with_its_own_holders():
    first, second = read_gpus(recorded("mig"))
    assert (first.uuid, first.free) == ("MIG-6c1d2b0e-8f5a-5f8e-9a52-3b0f2f4f1c77", 10956 * MIB)
    assert first.holders == (Holder(812, "python3", 9000 * MIB),)
    assert (second.uuid, second.free) == ("MIG-a4b9f8e0-41d7-57f2-8c5e-d1c0b6a7e923", 19955 * MIB)
    assert (second.holders, second.utilization, second.instance) == ((), None, True)


@pytest.mark.parametrize("answer", ["", "NVIDIA-SMI has failed because it couldn't communicate", "<a></a>"])
def test_no_answer_is_no_gpu(answer):
    assert read_gpus(lambda *_: answer) == []


def test_a_machine_without_the_tool_has_no_gpu(monkeypatch):
    def absent(*_args, **_options):
        raise FileNotFoundError("nvidia-smi")

    monkeypatch.setattr(subprocess, "run", absent)
    assert read_gpus() == []


def test_a_tool_that_hangs_is_given_up(monkeypatch):
    def hang(command, timeout, **_options):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    assert read_gpus() == []
