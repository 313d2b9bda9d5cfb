"""Device, precision and memory layout: everything about how a step is executed, pinned per run."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import nn

from trainwright.engine.device_choice import Say, choose_gpu
from trainwright.errors import UserError, closest

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_OTHER_NAMES = {"gpu": "cuda", "nvidia": "cuda", "metal": "mps", "tpu": "xla"}


@dataclass(frozen=True)
class Execution:
    """How a run is executed. Written to `run.json` before step 1 and kept on every resume.

    Attributes:
        device: `cpu`, `cuda`, `cuda:1`, `mps` or `xla`.
        precision: `fp32`, `bf16` or `fp16` (the latter two by autocast).
        channels_last: Images and convolution weights in channels-last memory.
        compile: The model goes through `torch.compile`.
        threads: Compute threads of each process.
        world_size: Processes that share each global batch.
        micro_batch: Rows of one forward pass, None for the whole slice of a process.
        evaluation_batch: Rows of one batch in evaluation and prediction; the last one is padded.
        deterministic: Only deterministic kernels.
    """

    device: str
    precision: str = "fp32"
    channels_last: bool = False
    compile: bool = False
    threads: int = 1
    world_size: int = 1
    micro_batch: int | None = None
    evaluation_batch: int = 64
    deterministic: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain data for `run.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Execution:
        """The execution that `to_json` wrote; unknown keys of later versions are ignored."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**known)

    def with_choice(self, **values: Any) -> Execution:
        """A copy with other values."""
        return replace(self, **values)


def choose_device(
    wanted: str, *, wait_minutes: float | None = None, say: Say = lambda _: None, alone: bool = True
) -> str:
    """Turns `auto` into the best device of this machine; refuses one that is not there.

    Args:
        wanted: `auto`, or a device's name; of several GPUs the freest is taken unless one is numbered.
        wait_minutes: How long to wait for a GPU that nobody works on; None does not wait.
        say: Told what is waited for, and which GPU was taken of several.
        alone: Whether this is the run's only process; of several each takes the GPU of its number.

    Raises:
        UserError: The named device is unknown or absent, or no GPU became idle.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return choose_gpu(wanted, wait_minutes, say) if alone else "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind = wanted.split(":")[0]
    if kind not in ("cpu", "cuda", "mps", "xla"):
        guess = _OTHER_NAMES.get(kind.lower()) or closest(kind, ["cpu", "cuda", "mps", "xla"])
        raise UserError(
            f"there is no device {wanted!r}",
            where="train.device",
            fix=f"did you mean {guess!r}?" if guess else "use auto, cpu, cuda, cuda:N, mps or xla",
        )
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(kind, kind == "cpu"):
        raise UserError(
            f"device {wanted!r} is not available on this machine",
            where="train.device",
            fix="use train.device=auto, or run on a machine that has it (see `trainwright doctor`)",
        )
    _check_number(wanted)
    return choose_gpu(wanted, wait_minutes, say) if kind == "cuda" and alone else wanted


def _check_number(wanted: str) -> None:
    """Refuses `cuda:7` where there is no eighth device."""
    kind, colon, number = wanted.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if colon and not (number.isdigit() and int(number) < count):
        raise UserError(
            f"there is no device {wanted!r}",
            where="train.device",
            why=f"this machine has {count} of that kind, counted from 0",
            fix=f"use {kind}:0" if count == 1 else f"use {kind}:0 to {kind}:{count - 1}",
        )


class Runtime:
    """Carries out an `Execution` in this process."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.device = torch.device(execution.device)
        self.dtype = DTYPES[execution.precision]
        torch.set_num_threads(execution.threads)
        if execution.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # An earlier run of this process may have left another choice behind; setting the same one again
        # would import PyTorch's compiler, which takes a second.
        if torch.are_deterministic_algorithms_enabled() != execution.deterministic:
            torch.use_deterministic_algorithms(execution.deterministic)
        torch.backends.cudnn.benchmark = self.device.type == "cuda" and not execution.deterministic
        lower = self.device.type == "cuda" and not execution.deterministic and execution.precision != "fp32"
        torch.set_float32_matmul_precision("high" if lower else "highest")

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision of a forward pass."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def place(self, model: nn.Module) -> nn.Module:
        """Moves a model to the device and into the memory format."""
        if self.execution.channels_last:
            return model.to(self.device, memory_format=torch.channels_last)
        return model.to(self.device)

    def callable(self, model: nn.Module) -> nn.Module:
        """What the step calls: the model itself, or its compiled form that shares its weights."""
        if not self.execution.compile:
            return model
        compiled: nn.Module = torch.compile(model)
        return compiled
