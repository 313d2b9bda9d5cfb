"""Eight street scenes learned by heart from random weights: what the head for masks can learn at all.

    python -m benchmarks.overfit_masks
    python -m benchmarks.overfit_masks --pixels 1

trains on eight pictures of CamVid, at half their size, and scores the same pictures again; it takes some ten
minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import trainwright

PICTURES = 8
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


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", type=int, default=4, help="pixels a side of a cell that have own logits")
    parser.add_argument("--steps", type=int, default=900)
    arguments = parser.parse_args()
    data = Path(os.environ["TRAINWRIGHT_SHARED_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "pictures"
        root.mkdir()
        settings = recipe(pictures(data, root), arguments.pixels, arguments.steps)
        began = time.time(), time.process_time()
        run = trainwright.train(settings, runs_dir=Path(folder) / "runs")
        seconds = {"wall_s": time.time() - began[0], "cpu_s": time.process_time() - began[1]}
        scores = run.evaluate("train")
    kept = {name: round(scores[name], 4) for name in ("miou", "pixel_accuracy", "boundary_f")}
    print(json.dumps({"pixels": arguments.pixels, "steps": arguments.steps} | kept | seconds))


if __name__ == "__main__":
    main()
