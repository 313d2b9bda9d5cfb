"""Which GPU a run takes, in recorded states of a machine."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
import torch

from tests.machine.recorded import recorded
from trainwright.engine import device_choice
from trainwright.engine.device_choice import Candidate, choose_gpu, freest, is_idle, wait_for_idle
from trainwright.errors import UserError
from trainwright.machine.gpus import read_gpus


@pytest.fixture
def machine(monkeypatch):
    """A machine with two GPUs, in which CUDA counts them the other way round than the bus does."""
    uuids = ["29c8b4f1-3c1f-52ad-7a55-0b2d6f3e8c14", "513536b6-7d19-9063-b049-1e69664bb298"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(uuids))
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda number: SimpleNamespace(uuid=uuids[number])
    )
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def in_state(*states):
        """From now on the machine is in each of the states in turn, and stays in the last."""
        left = list(states)

        def look():
            return read_gpus(recorded(left.pop(0) if len(left) > 1 else left[0]))

        monkeypatch.setattr(device_choice, "read_gpus", look)

    return in_state


@pytest.fixture
def passing_time(monkeypatch):
    """Time that passes as soon as somebody waits."""
    now = [0.0]

    def sleep(seconds):
        """Puts the clock forward."""
        now[0] += seconds

    monkeypatch.setattr(wait_for_idle, "__kwdefaults__", {"clock": lambda: now[0], "sleep": sleep})
    return now


def test_the_freest_is_taken_by_cuda_s_own_number(machine):
    machine("busy")
    said = []
    # The second on the bus is the first of CUDA's.
    assert choose_gpu("auto", None, said.append) == "cuda:0"
    assert "cuda:0 (NVIDIA A100-SXM4-80GB) has 67.7 GiB of 80.0 GiB free" in said[0]
    assert "cuda:1" in said[0]
    assert "python3 (pid 812, 40.2 GiB)" in said[0]


def test_of_equals_the_first_is_taken(machine):
    machine("idle")
    assert choose_gpu("auto", None, lambda _: None) == "cuda:0"


def test_a_full_machine_is_shared_unless_told_to_wait(machine):
    machine("full")
    assert choose_gpu("auto", None, lambda _: None) == "cuda:0"


def test_without_the_driver_s_tool_cuda_decides(machine):
    machine("none")
    assert choose_gpu("auto", 5.0, lambda _: None) == "cuda"
    assert choose_gpu("cuda:1", 5.0, lambda _: None) == "cuda:1"


def test_a_named_one_is_taken_as_it_is(machine):
    machine("busy")
    assert choose_gpu("cuda:1", None, lambda _: None) == "cuda:1"


def test_a_gpu_in_memory_of_others_or_at_work_is_not_idle():
    assert [is_idle(gpu) for gpu in read_gpus(recorded("idle"))] == [True, True]
    assert [is_idle(gpu) for gpu in read_gpus(recorded("busy"))] == [False, False]
    assert [is_idle(gpu) for gpu in read_gpus(recorded("mig"))] == [False, True]


def test_an_idle_one_is_better_than_a_larger_that_works():
    small = Candidate("cuda:0", read_gpus(recorded("mig"))[1])
    large = Candidate("cuda:1", read_gpus(recorded("busy"))[1])
    assert large.gpu.free > small.gpu.free
    assert freest([large, small]) == small


def test_it_waits_until_one_is_idle_and_says_what_for(machine, passing_time):
    machine("full", "full", "busy", "idle")
    said = []
    assert choose_gpu("auto", 5.0, said.append) == "cuda:0"
    assert passing_time[0] == 2 * device_choice.POLL_SECONDS
    assert "waiting for an idle GPU: cuda:0" in said[0]
    assert "python3 (pid 812, 79.0 GiB)" in said[0]


def test_waiting_is_told_every_five_minutes_and_ends_in_words(machine, passing_time):
    machine("full")
    said = []
    with pytest.raises(UserError, match="no GPU became idle in 12 minutes") as caught:
        choose_gpu("auto", 12.0, said.append)
    assert passing_time[0] == 720
    assert len(said) == 3
    assert caught.value.where == "train.wait_minutes"
    assert "pid 812" in caught.value.why


def test_only_the_named_one_is_waited_for(machine, passing_time):
    machine("busy")
    with pytest.raises(UserError) as caught:
        choose_gpu("cuda:1", 1.0, lambda _: None)
    assert "cuda:1" in caught.value.why
    assert "cuda:0" not in caught.value.why


def test_of_a_divided_gpu_the_freest_instance_is_shown_to_cuda(machine, monkeypatch):
    machine("mig")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")  # put back at the end whatever is set meanwhile
    said = []
    assert choose_gpu("auto", None, said.append) == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-a4b9f8e0-41d7-57f2-8c5e-d1c0b6a7e923"
    assert "instance 1" in said[0]


def test_an_instance_that_the_user_has_chosen_stays(machine, monkeypatch):
    machine("mig")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-6c1d2b0e-8f5a-5f8e-9a52-3b0f2f4f1c77")
    assert choose_gpu("auto", None, lambda _: None) == "cuda"
