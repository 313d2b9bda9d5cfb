"""Wrong labels of MNIST, made on purpose, and where they stand among the samples of the largest loss.

    python -m benchmarks.label_errors --share 0.02 --epochs 4

A share of the training labels becomes another class; the shipped recipe trains on them, and the mean loss of
every sample over the epochs ranks the samples. What counts is the share of the wrong labels within the first
3 % of the ranking.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.datasets import shared_data

TOP = (0.02, 0.03, 0.05)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label_errors", description=__doc__)
    parser.add_argument("--share", type=float, default=0.02, help="of the labels that are made wrong")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    images, labels = _mnist()
    wrong = np.random.default_rng(options.seed).random(len(labels)) < options.share
    shift = np.random.default_rng(options.seed + 1).integers(1, 10, len(labels))
    given = np.where(wrong, (labels + shift) % 10, labels)
    import trainwright as tw

    with tempfile.TemporaryDirectory() as folder:
        run = tw.train(
            "mnist",
            {"train.epochs": options.epochs, "data.source": "arrays", "report.enabled": False},
            data=(images, given),
            runs_dir=folder,
        )
        kept = np.load(Path(run.path) / "data" / "sample_losses.npz")
        rows, means = kept["row"], kept["mean"]
    ranked = rows[np.argsort(-means, kind="stable")]
    bad = wrong[rows].sum()
    print(f"{bad:,} of {len(rows):,} training labels are wrong; {options.epochs} epochs")
    for share in TOP:
        found = wrong[ranked[: int(share * len(rows))]].sum()
        print(f"top {share:.0%}: {found / bad:.1%} of them")


def _mnist() -> tuple[np.ndarray, np.ndarray]:
    folder = shared_data() / "mnist"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, labels.astype(np.int64)


if __name__ == "__main__":
    main()
