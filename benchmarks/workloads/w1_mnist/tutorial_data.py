"""MNIST as PyTorch's tutorials load it: torchvision's dataset, per-image transforms, two workers."""

from __future__ import annotations

from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.workloads.settings import data_folder
from benchmarks.workloads.w1_mnist import BATCH, MEAN, STD


def loaders() -> tuple[DataLoader, DataLoader]:
    """Loaders of the training and the validation images."""
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((MEAN,), (STD,))])
    folder = data_folder() / "mnist"
    train = datasets.MNIST(folder, train=True, transform=transform)
    val = datasets.MNIST(folder, train=False, transform=transform)
    return (
        DataLoader(train, batch_size=BATCH, shuffle=True, num_workers=2, persistent_workers=True),
        DataLoader(val, batch_size=500, num_workers=2, persistent_workers=True),
    )
