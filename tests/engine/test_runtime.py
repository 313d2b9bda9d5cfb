"""Devices and precision."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainwright.engine.runtime import Execution, Runtime, choose_device
from trainwright.errors import UserError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without accelerators, until told otherwise."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    return monkeypatch


def test_auto_takes_the_best_there_is(machine: pytest.MonkeyPatch) -> None:
    assert choose_device("auto") == "cpu"
    machine.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == "mps"
    machine.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"


@pytest.mark.parametrize(
    ("wanted", "words", "fix"),
    [
        ("cudo", "no device 'cudo'", "did you mean 'cuda'"),
        ("gpu3000", "no device", "use auto, cpu"),
        ("cuda", "not available on this machine", "train.device=auto"),
        ("cuda:1", "not available on this machine", "train.device=auto"),
        ("mps", "not available", "train.device=auto"),
        ("xla", "not available", "train.device=auto"),
        ("cpu:3", "no device 'cpu:3'", "use cpu:0"),
        ("cpu:x", "no device 'cpu:x'", "use cpu:0"),
    ],
)
def test_a_device_that_is_not_there_is_refused_in_words(
    machine: pytest.MonkeyPatch, wanted: str, words: str, fix: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        choose_device(wanted)
    assert fix in caught.value.fix
    assert caught.value.where == "train.device"


def test_a_number_beyond_the_last_device_is_refused(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(torch.cuda, "is_available", lambda: True)
    machine.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == "cuda:1"
    with pytest.raises(UserError, match="no device 'cuda:2'") as caught:
        choose_device("cuda:2")
    assert "2 of that kind" in caught.value.why
    assert "cuda:0 to cuda:1" in caught.value.fix


def test_an_execution_survives_its_file_and_later_versions() -> None:
    execution = Execution("cpu", "bf16", True, threads=3, world_size=2, micro_batch=8)
    assert Execution.from_json({**execution.to_json(), "of_a_later_version": 1}) == execution


def test_placing_gives_device_and_memory_format() -> None:
    convolution = nn.Conv2d(3, 4, 3)
    Runtime(Execution("cpu", channels_last=True)).place(convolution)
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_precision_is_that_of_the_forward_pass(precision: str, dtype: torch.dtype) -> None:
    runtime = Runtime(Execution("cpu", precision))
    with runtime.autocast():
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype


def test_what_one_run_sets_does_not_reach_the_next() -> None:
    try:
        Runtime(Execution("cpu", deterministic=True, threads=1))
        assert torch.are_deterministic_algorithms_enabled()
        Runtime(Execution("cpu", threads=1))
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("said", "meant"), [("gpu", "cuda"), ("GPU:1", "cuda"), ("metal", "mps"), ("cdua", "cuda")]
)
def test_a_device_by_another_name(said, meant):
    with pytest.raises(UserError) as caught:
        choose_device(said)
    assert caught.value.fix == f"did you mean '{meant}'?"
