"""Several processes that share each global batch, started by `torchrun`.

Gradients are summed here rather than by `DistributedDataParallel`: each process has already weighted
its loss by its share of the global batch, so slices may be uneven or empty, and every process takes
part in exactly one reduction per phase whatever its slice. The wish to stop travels in the same
reduction, so that all processes leave after the same step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainwright.errors import RunError


class Processes:
    """This process among all of the run. Alone, every method is free."""

    def __init__(self) -> None:
        self.rank, self.size = 0, 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def sum_gradients(self, parameters: Sequence[nn.Parameter], stop: bool) -> bool:
        """Adds gradients over all processes; returns whether any of them wants to stop."""
        return stop

    def share_buffers(self, model: nn.Module) -> None:
        """Gives every process the buffers (running statistics) of the first."""

    def sum_pairs(self, sums: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Adds (sum, weight) pairs over all processes."""
        return sums

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, in the order of ranks."""
        return [value]

    def broadcast(self, value: Any) -> Any:
        """The first process's value."""
        return value

    def close(self) -> None:
        """Leaves the group."""


class PerProcess:
    """A stateful part that differs between processes: saved for all of them, restored by rank.

    Args:
        part: This process's own.
        processes: Every one of them must take part in `state_dict`.
    """

    def __init__(self, part: Any, processes: Processes) -> None:
        self.part, self.processes = part, processes

    def state_dict(self) -> list[Any]:
        """The states of all processes, in the order of ranks."""
        return self.processes.gather(self.part.state_dict())

    def load_state_dict(self, states: list[Any]) -> None:
        """Takes this process's own state back."""
        self.part.load_state_dict(states[self.processes.rank])


class TorchrunProcesses(Processes):
    """The group that `torchrun` describes in the environment: gloo on CPU, NCCL on CUDA."""

    def __init__(self, device: torch.device) -> None:
        import torch.distributed as dist

        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend)
        self._dist = dist
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def sum_gradients(self, parameters: Sequence[nn.Parameter], stop: bool) -> bool:
        """One reduction over all gradients and the stop flag; an absent gradient counts as zero."""
        pieces = [_gradient(p).reshape(-1) for p in parameters]
        flag = pieces[0].new_tensor([float(stop)])
        flat = torch.cat([*pieces, flag])
        self._together(self._dist.all_reduce, flat)
        offset = 0
        for parameter in parameters:
            count = parameter.numel()
            summed = flat[offset : offset + count].view_as(parameter)
            if parameter.grad is None:
                # In the parameter's own memory format, which fused optimizers rely on.
                parameter.grad = torch.empty_like(parameter)
            parameter.grad.copy_(summed)
            offset += count
        return bool(flat[-1].item() > 0)

    def share_buffers(self, model: nn.Module) -> None:
        """Broadcasts the first process's buffers, all of one dtype at once."""
        by_dtype: dict[torch.dtype, list[Tensor]] = {}
        for buffer in model.buffers():
            by_dtype.setdefault(buffer.dtype, []).append(buffer)
        for buffers in by_dtype.values():
            flat = torch.cat([b.reshape(-1) for b in buffers])
            self._together(self._dist.broadcast, flat, 0)
            offset = 0
            for buffer in buffers:
                buffer.copy_(flat[offset : offset + buffer.numel()].view_as(buffer))
                offset += buffer.numel()

    def sum_pairs(self, sums: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Adds pairs in the order of ranks, so the result is the same on every process."""
        total: dict[str, tuple[float, float]] = {}
        for part in self.gather(sums):
            for name, (value, weight) in part.items():
                held = total.get(name, (0.0, 0.0))
                total[name] = (held[0] + value, held[1] + weight)
        return total

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, on every process."""
        found: list[Any] = [None] * self.size
        self._together(self._dist.all_gather_object, found, value)
        return found

    def broadcast(self, value: Any) -> Any:
        """The first process's value, on every process."""
        box = [value]
        self._together(self._dist.broadcast_object_list, box, 0)
        return box[0]

    def close(self) -> None:
        """Leaves the group in order."""
        self._dist.destroy_process_group()

    def _together(self, call: Callable[..., Any], *given: Any) -> None:
        """A collective call; a run whose other process died was interrupted, it did not fail."""
        try:
            call(*given)
        except RuntimeError as error:
            raise RunError(
                f"process {self.rank} of {self.size} has lost another process of the run",
                why=str(error).strip().partition("\n")[0],
                fix="see what the other process said, then start all of them again to resume",
            ) from error


def _gradient(parameter: nn.Parameter) -> Tensor:
    return parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)


def world_size() -> int:
    """How many processes `torchrun` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_world_size() -> int:
    """How many of them share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def local_device(device: str) -> str:
    """The device of this process: `cuda` becomes `cuda:<local rank>` under `torchrun`."""
    if device == "cuda" and world_size() > 1:
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return device


def join(device: str) -> Processes:
    """The processes of this run: joined through `torchrun`'s environment, or this one alone."""
    return TorchrunProcesses(torch.device(device)) if world_size() > 1 else Processes()


def about_statistics(model: torch.nn.Module, processes: int) -> list[str]:
    """What to say of BatchNorm when several processes share a batch; nothing where there is none."""
    if processes == 1 or not any(
        isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in model.modules()
    ):
        return []
    return [
        f"BatchNorm statistics are those of each process's slice, 1/{processes} of the "
        "global batch; running statistics are the first process's"
    ]
