"""What the runner tells every contestant, through variables of the environment. No torch at import."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

BEST = "BENCHMARK_BEST"
PRECISION = "BENCHMARK_PRECISION"
DEVICE = "BENCHMARK_DEVICE"


def best() -> bool:
    """Whether a bare loop may reach below PyTorch: allocator settings, decoding during the imports."""
    return os.environ.get(BEST) == "1"


def bf16() -> bool:
    """Whether the contestant trains in bfloat16 autocast instead of float32."""
    return os.environ.get(PRECISION, "fp32") == "bf16"


def device() -> str:
    """Where a bare loop trains."""
    return os.environ.get(DEVICE, "cpu")


def autocast() -> contextlib.AbstractContextManager[object]:
    """The context of a forward pass."""
    import torch

    return torch.autocast(device(), torch.bfloat16) if bf16() else contextlib.nullcontext()


def wait_for_device() -> None:
    """Returns when everything that was launched is done; at once on the CPU."""
    if device() == "cuda":
        import torch

        torch.cuda.synchronize()


def data_folder() -> Path:
    """The folder that `datasets.prepare` filled."""
    return Path(os.environ["BENCHMARK_DATA"])


def scratch_folder() -> Path:
    """A new folder for checkpoints; the runner gives the place and removes it."""
    return Path(tempfile.mkdtemp(dir=os.environ.get("BENCHMARK_SCRATCH")))
