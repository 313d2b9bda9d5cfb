"""ImageFolder and DataLoader, as PyTorch's tutorials do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from benchmarks.workloads.loading import BATCH, job, measure
from benchmarks.workloads.loading.peers import load, varied

asked = job()


def make() -> Callable[[int], Iterable[tuple[Any, int]]]:
    """The loader, whose workers stay from epoch to epoch."""
    data = ImageFolder(str(asked.folder), varied(asked.size), loader=load(asked.decoder))
    loader = DataLoader(
        data, BATCH, shuffle=True, num_workers=asked.workers, persistent_workers=asked.workers > 0
    )
    return lambda epoch: ((pictures, len(labels)) for pictures, labels in loader)


if __name__ == "__main__":
    measure(make, asked)
