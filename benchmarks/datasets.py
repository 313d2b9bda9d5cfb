"""Lays the data of the workloads out in a cache folder, once, the same for every contestant."""

from __future__ import annotations

import gzip
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.processes import ROOT

W0_TRAIN, W0_VAL, W0_FEATURES, W0_CLASSES = 64_000, 6_400, 32, 10
CLOTHING_VAL_EVERY = 5


def shared_data() -> Path:
    """Folder with `mnist/`, `cifar10/` and `clothing10/`."""
    return Path(os.environ.get("TRAINWRIGHT_SHARED_DATA", ROOT.parent / "shared" / "data"))


def cache_folder() -> Path:
    """Where the laid out data is kept; `BENCHMARK_DATA` names it."""
    default = Path.home() / ".cache" / "trainwright-benchmarks"
    return Path(os.environ.get("BENCHMARK_DATA", default))


def prepare(work: str) -> None:
    """Makes the data of one workload where it is not there yet."""
    maker = {"W0": _rows, "W1": _mnist, "W2": _cifar, "W3": _clothing}[work]
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    maker(folder)


def _rows(folder: Path) -> None:
    """`rows.npz`: normally distributed rows, labelled by a random linear map with noise."""
    path = folder / "rows.npz"
    if path.exists():
        return
    random = np.random.default_rng(0)
    count = W0_TRAIN + W0_VAL
    x = random.standard_normal((count, W0_FEATURES), np.float32)
    scores = x @ random.standard_normal((W0_FEATURES, W0_CLASSES), np.float32)
    y = (scores + random.standard_normal(scores.shape, np.float32)).argmax(1)
    y = y.astype(np.int64)
    partial = path.with_suffix(".partial.npz")
    train, val = slice(W0_TRAIN), slice(W0_TRAIN, None)
    np.savez(partial, x_train=x[train], y_train=y[train], x_val=x[val], y_val=y[val])
    partial.rename(path)


def _mnist(folder: Path) -> None:
    """`mnist/MNIST/raw`: the four files unpacked, where torchvision looks for them.

    `mnist/arrays`: the same as `.npy` files, the test images under the name of a validation split, which
    every contestant evaluates after each epoch.
    """
    if (folder / "mnist").exists():
        return
    partial = folder / "mnist.partial"
    shutil.rmtree(partial, ignore_errors=True)
    raw, arrays = partial / "MNIST" / "raw", partial / "arrays"
    raw.mkdir(parents=True)
    arrays.mkdir()
    for source in sorted((shared_data() / "mnist").glob("*.gz")):
        content = gzip.decompress(source.read_bytes())
        (raw / source.stem).write_bytes(content)
        split = {"train": "train", "t10k": "val"}[source.name.split("-")[0]]
        if "images" in source.name:
            np.save(
                arrays / f"x_{split}.npy", np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)
            )
        else:
            np.save(arrays / f"y_{split}.npy", np.frombuffer(content, np.uint8, offset=8).astype(np.int64))
    partial.rename(folder / "mnist")


def _cifar(folder: Path) -> None:
    """`cifar10/train/CLASS` and `cifar10/val/CLASS`, the latter being the archive's test images."""
    if (folder / "cifar10").exists():
        return
    partial = folder / "cifar10.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(shared_data() / "cifar10" / "cifar10_images.zip") as archive:
        for member in archive.infolist():
            parts = Path(member.filename).parts
            if member.is_dir() or not {"train", "test"} & set(parts):
                continue
            split, label, name = parts[-3:]
            target = partial / {"train": "train", "test": "val"}[split] / label / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))
    partial.rename(folder / "cifar10")


def _clothing(folder: Path) -> None:
    """`clothing10/train/CLASS` and `clothing10/val/CLASS`; every fifth image of a class validates."""
    if (folder / "clothing10").exists():
        return
    partial = folder / "clothing10.partial"
    shutil.rmtree(partial, ignore_errors=True)
    for label in sorted(path for path in (shared_data() / "clothing10").iterdir() if path.is_dir()):
        for number, source in enumerate(sorted(label.glob("*.jpg"))):
            split = "val" if number % CLOTHING_VAL_EVERY == 0 else "train"
            target = partial / split / label.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    partial.rename(folder / "clothing10")
