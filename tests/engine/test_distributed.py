"""What several processes exchange, with the other one played by the test."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch
from torch import nn

from trainwright.engine.distributed import (
    PerProcess,
    Processes,
    TorchrunProcesses,
    join,
    local_device,
    world_size,
)
from trainwright.errors import RunError


class Other:
    """A second process that has the same gradients, and may want to stop."""

    def __init__(self, wants_to_stop: bool = False, objects: Any = None) -> None:
        self.stop, self.objects = wants_to_stop, objects

    def all_reduce(self, flat: torch.Tensor) -> None:
        flat[:-1] *= 2
        flat[-1] += float(self.stop)

    def broadcast(self, flat: torch.Tensor, source: int) -> None:
        flat.fill_(7)

    def all_gather_object(self, found: list[Any], value: Any) -> None:
        found[:] = [value, self.objects]


def group(other: Any) -> TorchrunProcesses:
    processes = TorchrunProcesses.__new__(TorchrunProcesses)
    processes._dist, processes.rank, processes.size = other, 0, 2
    return processes


def test_gradients_are_added_and_absent_ones_count_as_zero() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Linear(4, 5)).to(memory_format=torch.channels_last)
    parameters = list(model.parameters())
    gradients = [torch.randn_like(p) for p in parameters[:-1]]
    for parameter, gradient in zip(parameters, gradients, strict=False):
        parameter.grad = gradient.clone()
    assert not group(Other()).sum_gradients(parameters, False)
    for parameter, gradient in zip(parameters, gradients, strict=False):
        assert parameter.grad is not None
        assert parameter.grad.equal(2 * gradient)
    assert parameters[-1].grad is not None
    assert parameters[-1].grad.eq(0).all()


def test_gradients_have_the_memory_format_of_their_parameter() -> None:
    """A fused optimizer walks over both as flat memory."""
    convolution = nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
    group(Other()).sum_gradients([convolution.weight], False)
    assert convolution.weight.grad is not None
    assert convolution.weight.grad.stride() == convolution.weight.stride()


@pytest.mark.parametrize(("mine", "theirs"), [(False, False), (True, False), (False, True), (True, True)])
def test_one_wish_to_stop_is_everyones(mine: bool, theirs: bool) -> None:
    layer = nn.Linear(2, 2)
    assert group(Other(theirs)).sum_gradients(list(layer.parameters()), mine) is (mine or theirs)


def test_buffers_are_those_of_the_first_process_in_their_own_dtypes() -> None:
    norm = nn.BatchNorm1d(3)
    group(Other()).share_buffers(norm)
    assert norm.running_mean is not None and norm.num_batches_tracked is not None
    assert norm.running_mean.eq(7).all()
    assert norm.num_batches_tracked.dtype == torch.int64
    assert norm.num_batches_tracked == 7


def test_sums_are_added_by_name_also_where_a_process_has_none() -> None:
    other = Other(objects={"loss": (3.0, 2.0), "theirs": (1.0, 1.0)})
    assert group(other).sum_pairs({"loss": (5.0, 4.0), "mine": (2.0, 1.0)}) == {
        "loss": (8.0, 6.0),
        "mine": (2.0, 1.0),
        "theirs": (1.0, 1.0),
    }
    assert group(other).sum_pairs({}) == {"loss": (3.0, 2.0), "theirs": (1.0, 1.0)}


def test_what_differs_between_processes_is_saved_for_all_and_restored_by_rank() -> None:
    class Part:
        def __init__(self, value: int) -> None:
            self.value = value

        def state_dict(self) -> int:
            return self.value

        def load_state_dict(self, state: int) -> None:
            self.value = state

    first = group(Other(objects=22))
    saved = PerProcess(Part(11), first).state_dict()
    assert saved == [11, 22]
    for rank, expected in enumerate(saved):
        part, processes = Part(0), group(Other())
        processes.rank = rank
        PerProcess(part, processes).load_state_dict(saved)
        assert part.value == expected


def test_a_process_that_is_gone_interrupts_the_run() -> None:
    class Gone:
        def all_reduce(self, flat: torch.Tensor) -> None:
            raise RuntimeError("Connection closed by peer\nand a trace")

    with pytest.raises(RunError, match="lost another process of the run") as caught:
        group(Gone()).sum_gradients(list(nn.Linear(1, 1).parameters()), False)
    assert caught.value.why == "Connection closed by peer"
    assert "resume" in caught.value.fix


def test_alone_everything_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = join("cpu")
    assert type(alone) is Processes
    assert alone.is_first
    assert alone.gather(3) == [3]
    assert alone.broadcast("x") == "x"
    assert alone.sum_gradients([], True)
    assert alone.sum_pairs({"a": (1.0, 2.0)}) == {"a": (1.0, 2.0)}


def test_each_process_of_a_machine_has_its_own_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert world_size() == 2
    assert [local_device(name) for name in ("cuda", "cuda:0", "cpu")] == ["cuda:1", "cuda:0", "cpu"]
    monkeypatch.delenv("WORLD_SIZE")
    assert local_device("cuda") == "cuda"
    assert "WORLD_SIZE" not in os.environ
