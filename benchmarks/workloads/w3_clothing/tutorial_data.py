"""The photos as PyTorch's tutorials load them: ImageFolder, per-image transforms, two workers."""

from __future__ import annotations

from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.workloads.settings import data_folder
from benchmarks.workloads.w3_clothing import BATCH, MEAN, RATIO, SIZE, SMALLEST, STD


def loaders() -> tuple[DataLoader, DataLoader]:
    """Loaders of the training and the validation images."""
    plain = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    crop = transforms.RandomResizedCrop(SIZE, scale=(SMALLEST, 1), ratio=(1 / RATIO, RATIO))
    varied = transforms.Compose([crop, transforms.RandomHorizontalFlip(), *plain])
    fixed = transforms.Compose([transforms.Resize((SIZE, SIZE)), *plain])
    folder = data_folder() / "clothing10"
    train = datasets.ImageFolder(str(folder / "train"), varied)
    val = datasets.ImageFolder(str(folder / "val"), fixed)
    return (
        DataLoader(train, batch_size=BATCH, shuffle=True, num_workers=2, persistent_workers=True),
        DataLoader(val, batch_size=BATCH, num_workers=2, persistent_workers=True),
    )
