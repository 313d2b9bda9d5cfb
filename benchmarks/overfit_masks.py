"""Eight street scenes learned by heart from random weights: what the head for masks can learn at all.

    python -m benchmarks.overfit_masks
    python -m benchmarks.overfit_masks --pixels 1

trains on eight pictures of CamVid, at half their size, and scores the same pictures again; it takes some ten
minutes of one core.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trainwright
from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish

PICTURES = 8
SHOWN = ("miou", "pixel_accuracy", "boundary_f", "wall_s", "cpu_s")
CLASSES = (
    *("Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian"),
    "Bicyclist",
)


def pictures(data: Path, folder: Path) -> Path:
    """A folder of the first pictures and their masks."""
    lines = (data / "camvid" / "train.txt").read_text().splitlines()[:PICTURES]
    for line in lines:
        for name in line.split():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).symlink_to(data / "camvid" / name)
    (folder / "train.txt").write_text("\n".join(lines) + "\n")
    return folder


def recipe(root: Path, pixels: int, steps: int) -> dict[str, Any]:
    """All pictures in every step, no augmentation, no held-out split."""
    return {
        "name": "overfit_masks",
        "data": {
            "source": {"name": "masks", "root": str(root)},
            "inputs": {"image": {"type": "image", "size": [180, 240]}},
            "targets": {"mask": {"type": "mask", "classes": list(CLASSES), "void": [11]}},
        },
        "model": {
            "name": "pyramid",
            "backbone": {"name": "small"},
            "neck": {"name": "fpn", "width": 64},
            "heads": {"mask": {"name": "dense", "width": 64, "pixels": pixels}},
        },
        "train": {
            "steps": steps,
            "batch_size": PICTURES,
            "optimizer": {"name": "adamw", "lr": 4e-3},
            "schedule": {"name": "one_cycle"},
            "precision": "fp32",
        },
        "report": {"enabled": False},
    }


def measured(pixels: int, steps: int) -> dict[str, float]:
    """Scores on the pictures that were learned, and how long it took."""
    data = Path(os.environ["TRAINWRIGHT_SHARED_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "pictures"
        root.mkdir()
        settings = recipe(pictures(data, root), pixels, steps)
        began = time.time(), time.process_time()
        run = trainwright.train(settings, runs_dir=Path(folder) / "runs")
        seconds = {"wall_s": time.time() - began[0], "cpu_s": time.process_time() - began[1]}
        scores = run.evaluate("train")
    return {name: scores[name] for name in SHOWN if name in scores} | seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overfit_masks", description=__doc__)
    parser.add_argument("--pixels", type=int, default=4, help="pixels a side of a cell that have own logits")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {key: str(value) for key, value in vars(options).items()}
    results = Results("overfit_masks", settings, now(), machine.describe(), "dense")
    values = measured(options.pixels, options.steps)
    results.measurements.append(Measurement("dense", "dense", 1, values))
    finish(results, SHOWN, dry=options.dry)


if __name__ == "__main__":
    main()
