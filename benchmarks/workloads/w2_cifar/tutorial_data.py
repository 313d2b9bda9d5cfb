"""The JPEGs as PyTorch's tutorials load them: ImageFolder, per-image transforms, two workers."""

from __future__ import annotations

from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.workloads.settings import data_folder
from benchmarks.workloads.w2_cifar import BATCH, MEAN, PADDING, STD


def loaders() -> tuple[DataLoader, DataLoader]:
    """Loaders of the training and the validation images."""
    plain = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    varied = [transforms.RandomCrop(32, padding=PADDING), transforms.RandomHorizontalFlip()]
    folder = data_folder() / "cifar10"
    train = datasets.ImageFolder(str(folder / "train"), transforms.Compose(varied + plain))
    val = datasets.ImageFolder(str(folder / "val"), transforms.Compose(plain))
    return (
        DataLoader(train, batch_size=BATCH, shuffle=True, num_workers=2),
        DataLoader(val, batch_size=500, num_workers=2),
    )
