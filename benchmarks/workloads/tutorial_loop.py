"""The loop of PyTorch's tutorials over two loaders, for the contestants that have no trainer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from benchmarks.contestant import Clock
from benchmarks.workloads.settings import autocast, scratch_folder


def fit(
    clock: Clock,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    train: DataLoader,
    val: DataLoader,
    epochs: int,
    backward: Callable[[Tensor], None] = Tensor.backward,
) -> float:
    """Trains, with an evaluation and a checkpoint an epoch: the final accuracy."""
    folder = scratch_folder()
    accuracy = 0.0
    clock.start()
    for _ in range(epochs):
        model.train()
        clock.epoch()
        for images, target in train:
            with autocast():
                loss = cross_entropy(model(images), target)
            optimizer.zero_grad()
            backward(loss)
            optimizer.step()
            clock.step(len(target))
        accuracy = evaluate(model, val)
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "last.pt")
    clock.stop()
    return accuracy


def evaluate(model: nn.Module, val: DataLoader) -> float:
    """Share of the images whose class is found."""
    model.eval()
    right = count = 0
    with torch.no_grad(), autocast():
        for images, target in val:
            right += int((model(images).argmax(1) == target).sum())
            count += len(target)
    return right / count
